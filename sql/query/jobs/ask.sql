-- A new job, or the active one of that kind and account.  No row when one
-- ended just now: ask again.
WITH fresh AS (
	INSERT INTO job (kind, account_id, request, n)
	VALUES ($1, nullif($2::bigint, 0), $3::jsonb, 1)
	ON CONFLICT (kind, account_id)
		WHERE state IN ('queued', 'running', 'waiting', 'paused')
		DO NOTHING
	RETURNING id
), first AS (
	INSERT INTO job_event (job_id, n, data)
	SELECT id, 1, $4::text FROM fresh
), told AS (
	SELECT pg_notify('job_due', id::text) FROM fresh
)
SELECT id FROM fresh, told
UNION ALL
SELECT id
  FROM job
 WHERE kind = $1
   AND account_id = nullif($2::bigint, 0)
   AND state IN ('queued', 'running', 'waiting', 'paused')
   AND NOT EXISTS (SELECT FROM fresh)
