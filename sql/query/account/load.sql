-- What a job signs in with, and what it knows of the account.
SELECT user_name, login_hash, sealed_password, state, partner_total,
       full_at IS NOT NULL AS was_full,
       coalesce(full_at < clock_timestamp() - $2::bigint * interval '1 ms',
           true) AS full_due
  FROM account
 WHERE id = $1::bigint
