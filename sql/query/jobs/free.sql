-- Ends the leases of a holder that is known to be dead, or has lost the database. What
-- failed more than once with nothing saved pauses before the next try: 200 ms, then
-- twice as long each time, at most half a minute.
WITH freed AS (
	UPDATE job
	   SET lease_until = '-infinity',
	       run_at = CASE WHEN claims > 1 THEN clock_timestamp()
	           + least(30, 0.1 * 2 ^ (claims - 1)) * interval '1 s'
	           ELSE run_at END
	 WHERE holder = $1
	   AND state = 'running'
	   AND lease_until > '-infinity'
	RETURNING id
)
SELECT id, pg_notify('job_due', id::text)
  FROM freed
