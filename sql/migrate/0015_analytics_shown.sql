-- Figures and search texts come by different calls, minutes or hours apart, so
-- each is shown of the newest period that has it: a run that has its figures
-- already takes no texts of the night before away.
DROP FUNCTION product_current(bigint, bigint);

-- A seller's products with their newest figures and their newest texts: what was
-- last good, however the last try ended.  One of them, or all (NULL).
CREATE FUNCTION product_current(of_account bigint, one_id bigint)
RETURNS TABLE (nm_id bigint, title text, vendor_code text, brand text,
	subject text, last_sync_at timestamptz, last_attempt_at timestamptz,
	sync_status text, sync_error_code text, sync_error text,
	figures product_analytics, texts product_analytics)
LANGUAGE sql STABLE AS $$
	SELECT p.nm_id, p.title, p.vendor_code, p.brand, p.subject,
	       p.last_sync_at, p.last_attempt_at, p.sync_status,
	       p.sync_error_code, p.sync_error, f.figures, t.texts
	  FROM product p
	  LEFT JOIN LATERAL (
	       SELECT a AS figures
	         FROM product_analytics a
	        WHERE a.account_id = p.account_id
	          AND a.nm_id = p.nm_id
	          AND a.funnel_at IS NOT NULL
	        ORDER BY a.period_end DESC, a.period_start DESC
	        LIMIT 1) f ON true
	  LEFT JOIN LATERAL (
	       SELECT a AS texts
	         FROM product_analytics a
	        WHERE a.account_id = p.account_id
	          AND a.nm_id = p.nm_id
	          AND a.texts_at IS NOT NULL
	        ORDER BY a.period_end DESC, a.period_start DESC
	        LIMIT 1) t ON true
	 WHERE p.account_id = of_account
	   AND (one_id IS NULL OR p.nm_id = one_id)
$$;

-- How many products the API had when it was last asked for all, a page's worth
-- at most when that was to try a token; what a run of all is planned by.
ALTER TABLE seller
	ADD COLUMN listed bigint;	-- null: not known
