-- The partner accepted a pair: it is the account's from now on, and what
-- paused for a refused login goes on, not before the time that it waits for.
WITH good AS (
	INSERT INTO account AS a (user_name, login_hash, sealed_password,
	                          partner_total, verified_at)
	VALUES ($1, $2, $3, $4::bigint, clock_timestamp())
	    ON CONFLICT (user_name) DO UPDATE
	   SET login_hash = excluded.login_hash,
	       sealed_password = excluded.sealed_password,
	       partner_total = excluded.partner_total,
	       verified_at = excluded.verified_at,
	       state = 'active'
	RETURNING id, registry_version, synced_at
), resumed AS (
	UPDATE job
	   SET state = 'queued',
	       waiting_reason = NULL
	  FROM good
	 WHERE job.account_id = good.id
	   AND job.state = 'paused'
	   AND job.waiting_reason = 'login_refused'
	RETURNING job.id
)
SELECT id, registry_version, $5::bigint AS left_ms,
       (SELECT count(pg_notify('job_due', id::text)) FROM resumed) AS resumed
  FROM good
