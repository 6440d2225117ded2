-- A pass has ended well.
UPDATE account
   SET synced_at = clock_timestamp()
 WHERE id = $1::bigint
RETURNING id
