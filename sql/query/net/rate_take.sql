-- Up to $4 calls out of a budget, those that may start within $7 ms: how many
-- there are, how long to wait before the last of them, and when one more will
-- be due.  A transaction of its own that nobody waits for the disk for: what a
-- crash forgets is a few calls that were counted.
WITH moment AS MATERIALIZED (
	SELECT clock_timestamp() AS at,
	       set_config('synchronous_commit', 'off', true) AS commit
)
INSERT INTO rate_bucket AS b (api, account, method, taken_at, granted, tat)
SELECT $1, $2, $3, at, least($4::bigint, $6::bigint),
       at + least($4::bigint, $6::bigint) * interval '1 s' / $5::bigint
  FROM moment
 WHERE commit = 'off'
    ON CONFLICT (api, account, method) DO UPDATE
   SET taken_at = excluded.taken_at,
       granted = rate_granted($4::bigint, b.tat, b.blocked_until,
           excluded.taken_at, $5::bigint, $6::bigint, $7::bigint),
       tat = greatest(b.tat, excluded.taken_at)
           + rate_granted($4::bigint, b.tat, b.blocked_until,
               excluded.taken_at, $5::bigint, $6::bigint, $7::bigint)
           * interval '1 s' / $5::bigint
RETURNING granted,
       greatest(ms_until(taken_at, blocked_until),
           ms_until(taken_at, tat - $6::bigint * interval '1 s' / $5::bigint))
           AS wait_ms,
       greatest(1, ms_until(taken_at, blocked_until), ms_until(taken_at,
           tat - ($6::bigint - 1) * interval '1 s' / $5::bigint)) AS next_ms
