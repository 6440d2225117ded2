-- The search texts of products for a period.  With the figures of this run ($4:
-- when it began) a product is complete.
WITH row AS (
	SELECT *
	  FROM unnest($5::bigint[], $6::jsonb[]) AS r (nm_id, queries)
), saved AS (
	INSERT INTO product_analytics AS f (account_id, nm_id, period_start,
	    period_end, texts_at, queries)
	SELECT $1::bigint, p.nm_id, $2::date, $3::date, clock_timestamp(),
	       r.queries
	  FROM row r
	  JOIN product p ON p.account_id = $1::bigint
	   AND p.nm_id = ANY ($5::bigint[])	-- or all of a new one is read
	   AND p.nm_id = r.nm_id
	 ORDER BY r.nm_id
	    ON CONFLICT (account_id, nm_id, period_end, period_start) DO UPDATE
	   SET texts_at = excluded.texts_at,
	       queries = excluded.queries
	RETURNING f.nm_id, f.funnel_at
), complete AS (
	UPDATE product AS p
	   SET sync_status = 'success',
	       sync_error_code = NULL,
	       sync_error = NULL,
	       last_attempt_at = clock_timestamp()
	  FROM saved
	 WHERE p.account_id = $1::bigint
	   AND p.nm_id = ANY ($5::bigint[])
	   AND p.nm_id = saved.nm_id
	   AND saved.funnel_at >= $4::timestamptz
	RETURNING p.nm_id
), versioned AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
)
SELECT (SELECT count(*) FROM saved) AS saved,
       (SELECT count(*) FROM complete) AS complete
