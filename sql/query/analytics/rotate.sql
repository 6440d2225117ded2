-- A new token that the API has taken, and what was paused for the old one goes
-- on.
WITH me AS (
	UPDATE seller
	   SET limit_key = $5,
	       token_kind = $6,
	       token_expires_at = to_timestamp($7::bigint),
	       token_warned = false
	 WHERE account_id = $1::bigint
	   AND operator = $2
	RETURNING account_id
), good AS (
	UPDATE account
	   SET login_hash = $3,
	       sealed_password = $4,
	       verified_at = clock_timestamp(),
	       state = CASE state WHEN 'refused' THEN 'active' ELSE state END
	  FROM me
	 WHERE account.id = me.account_id
	RETURNING account.id, state
), resumed AS (
	UPDATE job
	   SET state = 'queued',
	       waiting_reason = NULL
	  FROM good
	 WHERE job.account_id = good.id
	   AND good.state = 'active'
	   AND job.state = 'paused'
	   AND job.waiting_reason = 'login_refused'
	RETURNING job.id
)
SELECT id,
       (SELECT count(pg_notify('job_due', id::text)) FROM resumed) AS resumed
  FROM good
