-- Proves that the lease is still ours, and locks the job until COMMIT.
SELECT n, request
  FROM job
 WHERE id = $1::uuid
   AND fence = $2::bigint
   AND state = 'running'
   FOR UPDATE
