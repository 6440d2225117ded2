-- A try that brought no figures: what is there stays as it is.
WITH failed AS (
	UPDATE product
	   SET last_attempt_at = clock_timestamp(),
	       sync_status = 'error',
	       sync_error_code = $3,
	       sync_error = $4
	 WHERE account_id = $1::bigint
	   AND nm_id = ANY ($2::bigint[])
	RETURNING nm_id
), versioned AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
)
SELECT count(*) AS failed
  FROM failed
