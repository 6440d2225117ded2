-- The next products of a run: after $2, up to $3 (NULL: no end), at most $5.
-- $4: only those whose last try brought less than it should.
SELECT nm_id
  FROM product p
 WHERE account_id = $1::bigint
   AND nm_id > $2::bigint
   AND ($3::bigint IS NULL OR nm_id <= $3::bigint)
   AND (NOT $4::boolean OR product_failed(p))
 ORDER BY nm_id
 LIMIT $5::bigint
