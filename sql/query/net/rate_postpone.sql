-- What was granted was used $4 ms late: so is the next.
UPDATE rate_bucket
   SET tat = tat + $4::bigint * interval '1 ms'
 WHERE api = $1
   AND account = $2
   AND method = $3
RETURNING tat
