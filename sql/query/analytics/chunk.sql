-- The next products of a run: after $2, up to $3 (NULL: no end), at most $5.
-- $4: only those whose last try brought less than it should, or came before $7.
-- $6: only those that were not tried since then; $8: only those that were.
-- remaining, if $9: how many there are, without $5.
WITH due AS NOT MATERIALIZED (
	SELECT nm_id
	  FROM product p
	 WHERE account_id = $1::bigint
	   AND nm_id > $2::bigint
	   AND ($3::bigint IS NULL OR nm_id <= $3::bigint)
	   AND (NOT $4::boolean OR product_failed(p)
	        OR last_attempt_at IS NULL OR last_attempt_at < $7::timestamptz)
	   AND ($6::timestamptz IS NULL OR last_attempt_at IS NULL
	        OR last_attempt_at < $6::timestamptz)
	   AND ($8::timestamptz IS NULL OR last_attempt_at >= $8::timestamptz)
)
SELECT nm_id,
       CASE WHEN $9::boolean THEN (SELECT count(*) FROM due) END AS remaining
  FROM due
 ORDER BY nm_id
 LIMIT $5::bigint
