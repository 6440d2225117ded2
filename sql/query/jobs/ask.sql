-- A new job, or the active one of that kind and account, which then does what
-- is asked for as well, no later than this one would.  No row when one ended
-- just now: ask again.
WITH fresh AS (
	INSERT INTO job (kind, account_id, request, n, priority)
	VALUES ($1, nullif($2::bigint, 0), $3::jsonb, 1, $5::smallint)
	ON CONFLICT (kind, account_id)
		WHERE state IN ('queued', 'running', 'waiting', 'paused')
		DO NOTHING
	RETURNING id
), first AS (
	INSERT INTO job_event (job_id, n, data)
	SELECT id, 1, $4::text FROM fresh
), told AS (
	SELECT pg_notify('job_due', id::text) FROM fresh
), active AS (
	SELECT id, priority < $5::smallint OR NOT request @> $3::jsonb AS less
	  FROM job
	 WHERE kind = $1
	   AND account_id = nullif($2::bigint, 0)
	   AND state IN ('queued', 'running', 'waiting', 'paused')
	   AND NOT EXISTS (SELECT FROM fresh)
), raised AS (
	-- Looked at again behind the row's lock: it may just be ending.
	UPDATE job
	   SET request = job.request || $3::jsonb,
	       priority = greatest(job.priority, $5::smallint)
	  FROM active
	 WHERE active.less
	   AND job.id = active.id
	   AND job.state IN ('queued', 'running', 'waiting', 'paused')
	RETURNING job.id
)
SELECT id, true AS is_new FROM fresh, told
UNION ALL
SELECT id, false FROM active WHERE NOT less
UNION ALL
SELECT id, false FROM raised
