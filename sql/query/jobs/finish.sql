-- The end of a job, in the transaction that saved its last progress.
UPDATE job
   SET state = $3,
       finished_at = clock_timestamp(),
       status = $4::smallint,
       answer = $5,
       eta_at = NULL,
       holder = NULL,
       lease_until = NULL
 WHERE id = $1::uuid
   AND fence = $2::bigint
   AND state = 'running'
RETURNING id
