-- The window of a run, fixed once: the thirty Moscow days up to yesterday, since
-- today's is not over; when it began; and how many products it is about.  $2:
-- only those whose last try brought less than it should.
SELECT clock_timestamp() AS began,
       today - 30 AS period_start,
       today - 1 AS period_end,
       (SELECT count(*)
          FROM product p
         WHERE account_id = $1::bigint
           AND (NOT $2::boolean OR product_failed(p))) AS products
  FROM (SELECT (clock_timestamp() AT TIME ZONE 'Europe/Moscow')::date AS today)
       AS moscow
