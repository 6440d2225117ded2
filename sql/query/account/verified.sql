-- The partner accepted a pair: it is the account's from now on, and what
-- paused for a refused login goes on, not before the time that it waits for.
-- An account that was disabled by hand stays so unless $6.
WITH good AS (
	INSERT INTO account AS a (user_name, login_hash, sealed_password,
	                          partner_total, verified_at)
	VALUES ($1, $2, $3, $4::bigint, clock_timestamp())
	    ON CONFLICT (user_name) DO UPDATE
	   SET login_hash = excluded.login_hash,
	       sealed_password = excluded.sealed_password,
	       partner_total = excluded.partner_total,
	       verified_at = excluded.verified_at,
	       state = CASE WHEN a.state = 'disabled' AND NOT $6::boolean
	           THEN 'disabled' ELSE 'active' END
	RETURNING id, registry_version, synced_at, state
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
SELECT id, state, registry_version, pacific_today() AS today, $5::bigint AS left_ms,
       (SELECT count(pg_notify('job_due', id::text)) FROM resumed) AS resumed
  FROM good
