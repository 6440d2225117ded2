-- What a run, or a change by hand, has to know of a seller; $2: of this
-- operator, or NULL for whoever's.
SELECT a.user_name, a.login_hash, a.sealed_password, a.state,
       s.name, s.limit_key, s.token_kind, s.all_products, s.token_warned,
       s.trouble, s.trouble_told, s.jam IS FALSE AS no_jam,
       coalesce(s.token_expires_at < clock_timestamp()
           + $3::bigint * interval '1 ms', false) AS expires_soon,
       iso_time(s.token_expires_at) AS expires_at,
       greatest((
		SELECT count(*)
		  FROM product
		 WHERE account_id = s.account_id),
           CASE WHEN s.all_products THEN s.listed END) AS products
  FROM seller s
  JOIN account a ON a.id = s.account_id
 WHERE s.account_id = $1::bigint
   AND ($2::text IS NULL OR s.operator = $2)
