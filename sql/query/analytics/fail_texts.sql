-- No texts to be had: those that have this run's figures say why.
WITH short AS (
	UPDATE product
	   SET last_attempt_at = clock_timestamp(),
	       sync_error_code = $3,
	       sync_error = $4
	 WHERE account_id = $1::bigint
	   AND nm_id = ANY ($2::bigint[])
	   AND sync_status = 'partial'
	   AND sync_error_code = 'texts_pending'
	RETURNING nm_id
), versioned AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
)
SELECT count(*) AS short
  FROM short
