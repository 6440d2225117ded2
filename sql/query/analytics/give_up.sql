-- A run that ends without a result.  What it has not had of what it was about
-- ($2: when it began, NULL: it never did; $3: only what had failed, or was last
-- tried before $6) was tried and says why not ($4, $5); what has its figures
-- waits for texts no more.
WITH failed AS (
	UPDATE product AS p
	   SET last_attempt_at = clock_timestamp(),
	       sync_status = 'error',
	       sync_error_code = $4,
	       sync_error = $5
	 WHERE account_id = $1::bigint
	   AND (last_attempt_at IS NULL OR $2::timestamptz IS NULL
	        OR last_attempt_at < $2::timestamptz)
	   AND (NOT $3::boolean OR product_failed(p)
	        OR last_attempt_at IS NULL
	        OR last_attempt_at < $6::timestamptz)
	RETURNING nm_id
), short AS (
	UPDATE product
	   SET sync_error_code = $4,
	       sync_error = $5
	 WHERE account_id = $1::bigint
	   AND sync_error_code = 'texts_pending'
	   AND last_attempt_at >= $2::timestamptz
	RETURNING nm_id
), versioned AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
)
SELECT (SELECT count(*) FROM failed) AS failed,
       (SELECT count(*) FROM short) AS short
