SELECT count(*) AS seen
  FROM sync_seen
 WHERE job_id = $1::uuid
   AND pass = $2::smallint
