-- How many programs a pass has seen, and how many ids it has noted for that:
-- one that moved between its batches is noted twice.
SELECT count(DISTINCT id COLLATE "C") AS seen,
       count(id) AS noted
  FROM sync_seen, unnest(ids) AS id
 WHERE job_id = $1::uuid
   AND pass = $2::smallint
