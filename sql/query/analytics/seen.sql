-- Which of these products were tried since $3, when the run began.
SELECT nm_id
  FROM product
 WHERE account_id = $1::bigint
   AND nm_id = ANY ($2::bigint[])
   AND last_attempt_at >= $3::timestamptz
 ORDER BY nm_id
