-- Ends a job at once, whoever has it: the fence keeps its worker from writing
-- any more, and streams get their one error event.  $2: of these accounts,
-- or NULL for any.  No row: no such job; no body: it has ended already.  What an
-- analytics run has kept of an answer for its next batches is of no use any more.
WITH target AS (
	SELECT id, state
	  FROM job
	 WHERE id = $1::uuid
	   AND ($2::bigint[] IS NULL OR account_id = ANY ($2::bigint[]))
	   FOR UPDATE
), me AS (
	UPDATE job
	   SET state = 'cancelled',
	       finished_at = clock_timestamp(),
	       n = n + 1,
	       status = $3::smallint,
	       answer = $4,
	       eta_at = NULL,
	       checkpoint = checkpoint #- '{funnel,kept}' #- '{texts,kept}',
	       waiting_reason = NULL,
	       holder = NULL,
	       lease_until = NULL
	  FROM target
	 WHERE job.id = target.id
	   AND target.state IN ('queued', 'running', 'waiting', 'paused')
	RETURNING job AS j
), event AS (
	INSERT INTO job_event (job_id, n, data)
	SELECT (j).id, (j).n, $5 FROM me
)
SELECT t.state AS was,
       (SELECT job_json(j)::text FROM me) AS body,
       (SELECT count(pg_notify('job', (j).id::text)) FROM me) AS told
  FROM target t
