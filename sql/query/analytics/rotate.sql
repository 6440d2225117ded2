-- A new token that the API has taken, and what was paused for the old one goes
-- on.  The account comes before its seller, as everywhere.
WITH good AS (
	UPDATE account
	   SET login_hash = $3,
	       sealed_password = $4,
	       verified_at = clock_timestamp(),
	       state = CASE account.state WHEN 'refused' THEN 'active'
	           ELSE account.state END
	  FROM seller
	 WHERE account.id = $1::bigint
	   AND seller.account_id = account.id
	   AND seller.operator = $2
	RETURNING account.id, account.state
), me AS (
	UPDATE seller
	   SET limit_key = $5,
	       token_kind = $6,
	       token_expires_at = to_timestamp($7::bigint),
	       token_warned = false,
	       texts_days = NULL,
	       listed = greatest(listed, $8::bigint)
	  FROM good
	 WHERE account_id = good.id
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
