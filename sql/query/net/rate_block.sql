-- The partner wants nothing for $4 ms: nobody gets anything until then, and
-- what had been saved up is gone ($5: how long a whole burst takes, in ms).
WITH said AS MATERIALIZED (
	SELECT clock_timestamp() AS at,
	       clock_timestamp() + $4::bigint * interval '1 ms' AS until
)
INSERT INTO rate_bucket AS b (api, account, method, taken_at, granted,
    blocked_until, tat)
SELECT $1, $2, $3, at, 0, until, until + $5::bigint * interval '1 ms'
  FROM said
    ON CONFLICT (api, account, method) DO UPDATE
   SET blocked_until = greatest(b.blocked_until, excluded.blocked_until),
       tat = greatest(b.tat, excluded.tat),
       taken_at = excluded.taken_at
RETURNING ms_until(taken_at, blocked_until) AS blocked_ms
