-- What a job signs in with.
SELECT user_name, login_hash, sealed_password, state, partner_total
  FROM account
 WHERE id = $1::bigint
