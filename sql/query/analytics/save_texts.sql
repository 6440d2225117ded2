-- The search texts of products for a period, or its days from $7 on.  With the
-- figures of this run ($4: when it began) a product is complete.  The products are
-- locked first, as where they are removed.
WITH row AS MATERIALIZED (
	SELECT p.nm_id, r.queries
	  FROM product p
	  JOIN unnest($5::bigint[], $6::jsonb[]) AS r (nm_id, queries)
	    ON r.nm_id = p.nm_id
	 WHERE p.account_id = $1::bigint
	   AND p.nm_id = ANY ($5::bigint[])	-- or all of a new one is read
	 ORDER BY p.nm_id
	   FOR NO KEY UPDATE OF p
), saved AS (
	INSERT INTO product_analytics AS f (account_id, nm_id, period_start,
	    period_end, texts_at, queries, texts_start)
	SELECT $1::bigint, nm_id, $2::date, $3::date, clock_timestamp(),
	       queries, nullif($7::date, $2::date)
	  FROM row
	 ORDER BY nm_id
	    ON CONFLICT (account_id, nm_id, period_end, period_start) DO UPDATE
	   SET texts_at = excluded.texts_at,
	       queries = excluded.queries,
	       texts_start = excluded.texts_start
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
