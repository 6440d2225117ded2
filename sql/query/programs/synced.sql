-- A sync has ended well; $2: after reading the whole list.
UPDATE account
   SET synced_at = clock_timestamp(),
       full_at = CASE WHEN $2::boolean THEN clock_timestamp()
           ELSE full_at END
 WHERE id = $1::bigint
RETURNING id
