-- Back into the queue by the worker that has it, at once.
WITH freed AS (
	UPDATE job
	   SET state = 'queued',
	       claims = 0,
	       holder = NULL,
	       lease_until = NULL
	 WHERE id = $1::uuid
	   AND fence = $2::bigint
	   AND state = 'running'
	RETURNING id
)
SELECT id, pg_notify('job_due', id::text)
  FROM freed
