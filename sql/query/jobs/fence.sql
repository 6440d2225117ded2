-- Proves that the lease is still ours, and locks the job until COMMIT.  No mark,
-- or another one than at the claim: unlogged tables were emptied since.
SELECT n, request, (SELECT mark FROM crash_mark WHERE one) AS crash_mark
  FROM job
 WHERE id = $1::uuid
   AND fence = $2::bigint
   AND state = 'running'
   FOR UPDATE
