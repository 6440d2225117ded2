-- Takes a job out of the queue, or out of its worker's hands, until somebody
-- says resume; its checkpoint stays.  $2 and the answer as in cancel.sql.
WITH target AS (
	SELECT id, state
	  FROM job
	 WHERE id = $1::uuid
	   AND ($2::bigint[] IS NULL OR account_id = ANY ($2::bigint[]))
	   FOR UPDATE
), me AS (
	UPDATE job
	   SET state = 'paused',
	       n = n + 1,
	       eta_at = NULL,
	       waiting_reason = 'by_hand',
	       holder = NULL,
	       lease_until = NULL
	  FROM target
	 WHERE job.id = target.id
	   AND target.state IN ('queued', 'running', 'waiting')
	RETURNING job AS j
), event AS (
	INSERT INTO job_event (job_id, n, data)
	SELECT (j).id, (j).n, $3 FROM me
)
SELECT t.state AS was,
       (SELECT job_json(j)::text FROM me) AS body,
       (SELECT count(pg_notify('job', (j).id::text)) FROM me) AS told
  FROM target t
