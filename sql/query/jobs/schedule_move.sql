-- On to the next time, in the transaction that asks for the job; $2 is that
-- moment before the delay, NULL: never.  $5: what has been asked for, if any.
UPDATE schedule AS s
   SET next_at = coalesce($2::timestamptz + schedule_delay_ms(s, $4::bigint)
           * interval '1 ms', 'infinity'),
       planned_by = schedule_plan(s, $3, $4::bigint),
       fired_at = CASE WHEN $5::uuid IS NULL THEN fired_at
           ELSE clock_timestamp() END,
       job_id = coalesce($5::uuid, job_id)
 WHERE id = $1::bigint
RETURNING iso_time(nullif(next_at, 'infinity')) AS next_at
