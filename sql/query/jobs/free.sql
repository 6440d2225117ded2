-- Ends the leases of a holder that is known to be dead.
WITH freed AS (
	UPDATE job
	   SET lease_until = '-infinity'
	 WHERE holder = $1
	   AND state = 'running'
	RETURNING id
)
SELECT id, pg_notify('job_due', id::text)
  FROM freed
