-- The seller's jobs that have not ended.
SELECT id
  FROM job
 WHERE account_id = $1::bigint
   AND state IN ('queued', 'running', 'waiting', 'paused')
 ORDER BY id
