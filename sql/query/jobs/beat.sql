-- Renews the lease of whoever holds the newest fencing number.
UPDATE job
   SET lease_until = clock_timestamp() + $3::bigint * interval '1 ms'
 WHERE id = $1::uuid
   AND fence = $2::bigint
   AND state = 'running'
RETURNING id
