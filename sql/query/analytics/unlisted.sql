-- After a list of all products: those that were not on it ($2: when the run
-- began), which the API has no data for.
WITH failed AS (
	UPDATE product
	   SET last_attempt_at = clock_timestamp(),
	       sync_status = 'error',
	       sync_error_code = $3,
	       sync_error = $4
	 WHERE account_id = $1::bigint
	   AND (last_attempt_at IS NULL OR last_attempt_at < $2::timestamptz)
	RETURNING nm_id
), versioned AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
)
SELECT nm_id
  FROM failed
 ORDER BY nm_id
