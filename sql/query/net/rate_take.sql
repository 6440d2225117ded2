-- Up to $4 calls out of a budget of $5 calls in $8 ms, those that may start
-- within $7 ms: how many there are, how long to wait before the last of them,
-- and when one more will be due.  A transaction of its own; of budgets that
-- give many calls nobody waits for the disk: what a crash forgets is a few
-- calls that were counted.
WITH moment AS MATERIALIZED (
	SELECT clock_timestamp() AS at,
	       $8::bigint * interval '1 ms' / $5::bigint AS step,
	       set_config('synchronous_commit', CASE
	           WHEN $8::bigint > 1000
	           THEN current_setting('synchronous_commit')
	           ELSE 'off' END, true) AS commit
)
INSERT INTO rate_bucket AS b (api, account, method, taken_at, granted, tat)
SELECT $1, $2, $3, at, least($4::bigint, $6::bigint),
       at + least($4::bigint, $6::bigint) * step
  FROM moment
 WHERE commit IS NOT NULL
    ON CONFLICT (api, account, method) DO UPDATE
   SET taken_at = excluded.taken_at,
       granted = rate_granted($4::bigint, b.tat, b.blocked_until,
           excluded.taken_at, $5::bigint, $6::bigint, $7::bigint, $8::bigint),
       tat = greatest(b.tat, excluded.taken_at)
           + rate_granted($4::bigint, b.tat, b.blocked_until,
               excluded.taken_at, $5::bigint, $6::bigint, $7::bigint,
               $8::bigint)
           * ($8::bigint * interval '1 ms' / $5::bigint)
RETURNING granted,
       greatest(ms_until(taken_at, blocked_until),
           ms_until(taken_at, tat - $6::bigint
               * ($8::bigint * interval '1 ms' / $5::bigint))) AS wait_ms,
       greatest(1, ms_until(taken_at, blocked_until), ms_until(taken_at,
           tat - ($6::bigint - 1)
               * ($8::bigint * interval '1 ms' / $5::bigint))) AS next_ms
