-- A partner's account by its user name or its number.
SELECT id, user_name, state
  FROM account
 WHERE api = 'partner'
   AND (user_name = $1 OR id = $2::bigint)
