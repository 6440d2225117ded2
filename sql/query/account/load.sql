-- What a job signs in with, and what it knows of the account; pages: what the
-- last complete reading has shown of so many programs, as far as it still holds
-- and all was compared within a day.
SELECT a.user_name, a.login_hash, a.sealed_password, a.state, a.partner_total,
       a.full_at IS NOT NULL AS was_full,
       coalesce(a.full_at < clock_timestamp() - $2::bigint * interval '1 ms',
           true) AS full_due,
       d.pages,
       d.programs
  FROM account a
  LEFT JOIN registry_digest d ON d.account_id = a.id
   AND d.version = a.registry_version
   AND d.compared_at > clock_timestamp() - interval '1 day'
 WHERE a.id = $1::bigint
