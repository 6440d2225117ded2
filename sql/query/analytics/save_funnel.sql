-- Figures of products for a period, matched by id.  $4: when the run began; $5,
-- $6: why there are no texts yet, which the product says until they come.
-- Products that are gone are left out.
WITH row AS (
	SELECT *
	  FROM unnest($7::bigint[], $8::text[], $9::text[], $10::text[],
	           $11::text[], $12::bigint[], $13::bigint[], $14::bigint[],
	           $15::text[]::numeric[], $16::bigint[],
	           $17::text[]::numeric[], $18::bigint[],
	           $19::text[]::numeric[], $20::text[]::numeric[],
	           $21::bigint[])
	       AS r (nm_id, title, vendor_code, brand, subject, views,
	           add_to_cart, orders, revenue, buyouts, buyout_sum, cancels,
	           cancel_sum, avg_price, add_to_wishlist)
), named AS (
	UPDATE product AS p
	   SET title = coalesce(r.title, p.title),
	       vendor_code = coalesce(r.vendor_code, p.vendor_code),
	       brand = coalesce(r.brand, p.brand),
	       subject = coalesce(r.subject, p.subject),
	       last_sync_at = clock_timestamp(),
	       last_attempt_at = clock_timestamp(),
	       sync_status = CASE WHEN t.here THEN 'success' ELSE 'partial' END,
	       sync_error_code = CASE WHEN NOT t.here THEN $5 END,
	       sync_error = CASE WHEN NOT t.here THEN $6 END
	  FROM row r
	 CROSS JOIN LATERAL (
	       SELECT EXISTS (
		SELECT
		  FROM product_analytics f
		 WHERE f.account_id = $1::bigint
		   AND f.nm_id = r.nm_id
		   AND f.period_end = $3::date
		   AND f.period_start = $2::date
		   AND f.texts_at >= $4::timestamptz) AS here) t
	 WHERE p.account_id = $1::bigint
	   AND p.nm_id = ANY ($7::bigint[])	-- or all of a new one is read
	   AND p.nm_id = r.nm_id
	RETURNING p.nm_id
), saved AS (
	INSERT INTO product_analytics AS f (account_id, nm_id, period_start,
	    period_end, funnel_at, currency, views, add_to_cart, orders,
	    revenue, buyouts, buyout_sum, cancels, cancel_sum, avg_price,
	    add_to_wishlist)
	SELECT $1::bigint, r.nm_id, $2::date, $3::date, clock_timestamp(),
	       $22, r.views, r.add_to_cart, r.orders, r.revenue, r.buyouts,
	       r.buyout_sum, r.cancels, r.cancel_sum, r.avg_price,
	       r.add_to_wishlist
	  FROM row r
	  JOIN named USING (nm_id)
	 ORDER BY r.nm_id
	    ON CONFLICT (account_id, nm_id, period_end, period_start) DO UPDATE
	   SET funnel_at = excluded.funnel_at,
	       currency = excluded.currency,
	       views = excluded.views,
	       add_to_cart = excluded.add_to_cart,
	       orders = excluded.orders,
	       revenue = excluded.revenue,
	       buyouts = excluded.buyouts,
	       buyout_sum = excluded.buyout_sum,
	       cancels = excluded.cancels,
	       cancel_sum = excluded.cancel_sum,
	       avg_price = excluded.avg_price,
	       add_to_wishlist = excluded.add_to_wishlist
	RETURNING f.nm_id
), versioned AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
)
SELECT count(*) AS saved
  FROM saved
