-- The partner gives this login no names: no use asking for $2 ms.
UPDATE account
   SET names_after = clock_timestamp() + $2::bigint * interval '1 ms'
 WHERE id = $1::bigint
RETURNING id
