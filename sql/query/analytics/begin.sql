-- The window of a run, fixed once: the thirty Moscow days up to yesterday, since
-- today's is not over; when it began; and how many products it is about, as far
-- as is known.  $2: only those whose last try brought less than it should, or
-- came before $4; $3: all that the API lists.  only_week: for search texts the
-- window is the last seven of these days, as far as was found within the last
-- week; older news is forgotten.
WITH forgotten AS (
	UPDATE seller
	   SET texts_days = NULL
	 WHERE account_id = $1::bigint
	   AND texts_days IS NOT NULL
	   AND texts_days_at < clock_timestamp() - interval '7 days'
)
SELECT clock_timestamp() AS began,
       today - 30 AS period_start,
       today - 1 AS period_end,
       today - 7 AS week_start,
       (SELECT texts_days IS NOT NULL
               AND texts_days_at >= clock_timestamp() - interval '7 days'
          FROM seller
         WHERE account_id = $1::bigint) AS only_week,
       greatest((
		SELECT count(*)
		  FROM product p
		 WHERE account_id = $1::bigint
		   AND (NOT $2::boolean OR product_failed(p)
		        OR last_attempt_at IS NULL
		        OR last_attempt_at < $4::timestamptz)), (
		SELECT listed
		  FROM seller
		 WHERE account_id = $1::bigint
		   AND $3::boolean)) AS products
  FROM (SELECT (clock_timestamp() AT TIME ZONE 'Europe/Moscow')::date AS today)
       AS moscow
