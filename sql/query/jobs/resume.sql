-- A paused job goes on from its checkpoint, unless its account's login is the
-- reason.  $2 and the answer as in cancel.sql.
WITH target AS (
	SELECT job.id, job.state
	  FROM job
	 WHERE job.id = $1::uuid
	   AND ($2::bigint[] IS NULL OR account_id = ANY ($2::bigint[]))
	   FOR UPDATE
), me AS (
	UPDATE job
	   SET state = 'queued',
	       claims = 0,
	       run_at = clock_timestamp(),
	       waiting_reason = NULL
	  FROM target
	 WHERE job.id = target.id
	   AND target.state = 'paused'
	   AND NOT EXISTS (
		SELECT
		  FROM account a
		 WHERE a.id = job.account_id
		   AND a.state <> 'active')
	RETURNING job AS j
)
SELECT t.state AS was,
       (SELECT job_json(j)::text FROM me) AS body,
       (SELECT count(pg_notify('job_due', (j).id::text)) FROM me) AS told
  FROM target t
