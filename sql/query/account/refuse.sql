-- The partner refused a pair.  Only if it is the stored one does the account
-- change: it is refused, and its jobs pause.
WITH noted AS (
	INSERT INTO login_refusal (login_hash, name_hash, address)
	VALUES ($2, $3, $4)
), forgotten AS (
	DELETE FROM login_refusal
	 WHERE at < statement_timestamp() - interval '1 hour'
), refused AS (
	UPDATE account
	   SET state = 'refused'
	 WHERE user_name = $1
	   AND login_hash = $2
	   AND state = 'active'
	RETURNING id
), paused AS (
	UPDATE job
	   SET state = 'paused',
	       waiting_reason = 'login_refused'
	  FROM refused
	 WHERE job.account_id = refused.id
	   AND job.state IN ('queued', 'waiting')
	RETURNING job.id
)
SELECT (SELECT count(*) FROM refused) AS refused,
       (SELECT count(pg_notify('job', id::text)) FROM paused) AS paused
