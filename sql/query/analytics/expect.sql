-- What a run that was just asked for will take, so that it is known before
-- anybody has begun with it.
UPDATE job
   SET total = $2::bigint,
       calls_made = 0,
       database_ms = NULL,
       names_ms = NULL,
       calls_left = $3::bigint,
       eta_at = clock_timestamp() + $4::bigint * interval '1 ms'
 WHERE id = $1::uuid
   AND state = 'queued'
RETURNING id
