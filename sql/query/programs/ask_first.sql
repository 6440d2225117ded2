-- A job for an account that has never synced, unless one is active.  The lock
-- keeps that one from ending between the look and the insert.
WITH never AS (
	SELECT id
	  FROM account
	 WHERE id = $2::bigint
	   AND synced_at IS NULL
	   FOR SHARE
), fresh AS (
	INSERT INTO job (kind, account_id, n)
	SELECT $1, id, 1 FROM never
	ON CONFLICT (kind, account_id)
		WHERE state IN ('queued', 'running', 'waiting', 'paused')
		DO NOTHING
	RETURNING id
), first AS (
	INSERT INTO job_event (job_id, n, data)
	SELECT id, 1, $3::text FROM fresh
)
SELECT pg_notify('job_due', id::text)
  FROM fresh
