-- The end of a run: what still waits for texts gets none ($3, $4), and how its
-- products stand that were tried since it began ($2); short: without texts that
-- there might be.
WITH short AS (
	UPDATE product
	   SET sync_error_code = $3,
	       sync_error = $4
	 WHERE account_id = $1::bigint
	   AND sync_error_code = 'texts_pending'
), versioned AS (
	UPDATE account
	   SET registry_version = registry_version + 1,
	       synced_at = clock_timestamp()
	 WHERE id = $1::bigint
)
SELECT count(*) FILTER (WHERE sync_status = 'success') AS ok,
       count(*) FILTER (WHERE sync_status = 'partial') AS partial,
       count(*) FILTER (WHERE sync_status = 'partial'
           AND CASE sync_error_code WHEN 'texts_pending' THEN $3
               ELSE sync_error_code END <> 'no_jam') AS short,
       count(*) FILTER (WHERE sync_status = 'error') AS failed
  FROM product
 WHERE account_id = $1::bigint
   AND last_attempt_at >= $2::timestamptz
