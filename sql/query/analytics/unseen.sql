-- How many products were not tried since $2, when the run began.
SELECT count(*) AS unseen
  FROM product
 WHERE account_id = $1::bigint
   AND (last_attempt_at IS NULL OR last_attempt_at < $2::timestamptz)
