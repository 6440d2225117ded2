-- Held back until a time that the partner named: no process waits for it.
UPDATE job
   SET state = 'waiting',
       run_at = clock_timestamp() + $3::bigint * interval '1 ms',
       waiting_reason = $4,
       eta_at = clock_timestamp() + $5::bigint * interval '1 ms',
       holder = NULL,
       lease_until = NULL
 WHERE id = $1::uuid
   AND fence = $2::bigint
   AND state = 'running'
RETURNING id
