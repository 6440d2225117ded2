-- One page of a seller's products that match, from a place on; how many match
-- in all, and the sums of their figures of one period (on a row of its own when the page is
-- empty).  $2: this one alone; $3: words; $4: how its last try ended.  $5 is
-- the column to sort by, $6 whether from its end; $7 whether a place is given:
-- the key of the row before ($8 or $9, or neither: it was NULL) and its id
-- ($10).  NULLs come last in both directions, equals by their id.  A number is
-- turned round by its bits (# -1), which cannot overflow.
WITH matching AS (
	SELECT p.*,
	       CASE $5::text
	       WHEN 'nmId' THEN p.nm_id
	       WHEN 'views' THEN (p.figures).views
	       WHEN 'addToCart' THEN (p.figures).add_to_cart
	       WHEN 'orders' THEN (p.figures).orders
	       WHEN 'units' THEN (p.figures).units
	       WHEN 'ctr' THEN ((p.figures).ctr * 100)::bigint
	       WHEN 'conversionRate'
	       THEN ((p.figures).conversion_rate * 100)::bigint
	       WHEN 'revenue' THEN ((p.figures).revenue * 100)::bigint
	       WHEN 'avgOrderValue'
	       THEN ((p.figures).avg_order_value * 100)::bigint
	       WHEN 'avgPrice' THEN ((p.figures).avg_price * 100)::bigint
	       WHEN 'buyouts' THEN (p.figures).buyouts
	       WHEN 'buyoutSum' THEN ((p.figures).buyout_sum * 100)::bigint
	       WHEN 'cancels' THEN (p.figures).cancels
	       WHEN 'cancelSum' THEN ((p.figures).cancel_sum * 100)::bigint
	       WHEN 'addToWishlist' THEN (p.figures).add_to_wishlist
	       WHEN 'totalQueries' THEN (p.texts).total_queries
	       WHEN 'periodEnd'
	       THEN (p.figures).period_end - date '1970-01-01'
	       WHEN 'periodStart'
	       THEN (p.figures).period_start - date '1970-01-01'
	       WHEN 'textsPeriodStart'
	       THEN coalesce((p.texts).texts_start, (p.texts).period_start)
	           - date '1970-01-01'
	       WHEN 'textsPeriodEnd'
	       THEN (p.texts).period_end - date '1970-01-01'
	       WHEN 'lastSyncAt'
	       THEN (extract(epoch FROM p.last_sync_at) * 1000000)::bigint
	       WHEN 'lastAttemptAt'
	       THEN (extract(epoch FROM p.last_attempt_at) * 1000000)::bigint
	       END # CASE WHEN $6::boolean THEN -1 ELSE 0 END::bigint AS number,
	       CASE $5::text
	       WHEN 'title' THEN folded(p.title)
	       WHEN 'vendorCode' THEN folded(p.vendor_code)
	       WHEN 'brand' THEN folded(p.brand)
	       WHEN 'subject' THEN folded(p.subject)
	       WHEN 'currency' THEN (p.figures).currency
	       WHEN 'syncStatus' THEN p.sync_status
	       END AS words
	  FROM product_current($1::bigint, $2::bigint) p
	 WHERE ($3::text IS NULL
	        OR strpos(p.nm_id::text, $3) > 0
	        OR strpos(folded(p.title), folded($3)) > 0
	        OR strpos(folded(p.vendor_code), folded($3)) > 0
	        OR strpos(folded(p.brand), folded($3)) > 0)
	   AND ($4::text IS NULL OR coalesce(p.sync_status, 'none') = $4)
), period AS (
	-- Sums are of one period, the one that most of them have of which the API
	-- still knows: what is off the market is in no sum of last month, however
	-- much of it there is.
	SELECT (figures).period_start AS first, (figures).period_end AS last
	  FROM matching
	 WHERE (figures).views IS NOT NULL
	 GROUP BY 1, 2
	 ORDER BY count(*) FILTER (WHERE sync_error_code
	           IS DISTINCT FROM 'no_data') DESC,
	       count(*) DESC, 2 DESC, 1 DESC
	 LIMIT 1
), counts AS (
	SELECT count(*) AS products,
	       count((figures).views) AS with_figures,
	       min(last_sync_at) AS oldest,
	       max(last_sync_at) AS newest
	  FROM matching
), sums AS (
	SELECT count(*) AS with_data,
	       sum((figures).views)::bigint AS views,
	       sum((figures).add_to_cart)::bigint AS carts,
	       sum((figures).orders)::bigint AS orders,
	       sum((figures).buyouts)::bigint AS buyouts,
	       sum((figures).cancels)::bigint AS cancels,
	       sum((figures).revenue) AS revenue,
	       sum((figures).buyout_sum) AS buyout_sum,
	       count(DISTINCT coalesce((figures).currency, '')) AS currencies,
	       min((figures).currency) AS currency,
	       min(first) AS period_start,
	       max(last) AS period_end
	  FROM period
	  JOIN matching ON (figures).period_start = first
	   AND (figures).period_end = last
), page AS (
	SELECT *
	  FROM matching
	 WHERE NOT $7::boolean
	    OR CASE
	       WHEN $8::bigint IS NOT NULL
	       THEN number > $8::bigint
	           OR number IS NULL
	           OR (number = $8::bigint AND nm_id > $10::bigint)
	       WHEN $9::text IS NOT NULL
	       THEN CASE WHEN $6::boolean THEN words COLLATE "C" < $9::text
	           ELSE words COLLATE "C" > $9::text END
	           OR words IS NULL
	           OR (words COLLATE "C" = $9::text AND nm_id > $10::bigint)
	       ELSE number IS NULL
	           AND words IS NULL
	           AND nm_id > $10::bigint
	       END
	 ORDER BY number,
	       CASE WHEN NOT $6::boolean THEN words END COLLATE "C",
	       CASE WHEN $6::boolean THEN words END COLLATE "C"
	       DESC NULLS LAST,
	       nm_id
	 LIMIT $11::bigint
	OFFSET $12::bigint
)
SELECT (SELECT products FROM counts) AS total_count,
       (SELECT row_to_json(t)::text
          FROM (SELECT products,
                       with_data AS "withData",
                       with_figures - with_data AS "ofOtherPeriods",
                       views,
                       carts AS "addToCart",
                       orders,
                       orders AS units,
                       round(carts * 100.0 / nullif(views, 0), 2) AS ctr,
                       round(orders * 100.0 / nullif(carts, 0), 2)
                           AS "conversionRate",
                       CASE WHEN currencies = 1 THEN revenue END AS revenue,
                       CASE WHEN currencies = 1
                       THEN round(revenue / nullif(orders, 0), 2) END
                           AS "avgOrderValue",
                       buyouts,
                       CASE WHEN currencies = 1 THEN buyout_sum END
                           AS "buyoutSum",
                       cancels,
                       CASE WHEN currencies = 1 THEN currency END AS currency,
                       period_start AS "periodStart",
                       period_end AS "periodEnd",
                       iso_time(oldest) AS "oldestSyncAt",
                       iso_time(newest) AS "lastSyncAt"
                  FROM counts, sums) t) AS totals,
       page.number AS key_number,
       page.words AS key_words,
       CASE WHEN shown."nmId" IS NOT NULL THEN row_to_json(shown)::text
       END AS body,
       shown.*
  FROM (SELECT) AS always
  LEFT JOIN page ON true
  LEFT JOIN LATERAL (
	SELECT page.nm_id AS "nmId",
	       page.title,
	       page.vendor_code AS "vendorCode",
	       page.brand,
	       page.subject,
	       (page.figures).views,
	       (page.figures).add_to_cart AS "addToCart",
	       (page.figures).orders,
	       (page.figures).ctr,
	       (page.figures).conversion_rate AS "conversionRate",
	       (page.figures).revenue,
	       (page.figures).units,
	       (page.figures).avg_order_value AS "avgOrderValue",
	       (page.figures).buyouts,
	       (page.figures).buyout_sum AS "buyoutSum",
	       (page.figures).cancels,
	       (page.figures).cancel_sum AS "cancelSum",
	       (page.figures).avg_price AS "avgPrice",
	       (page.figures).add_to_wishlist AS "addToWishlist",
	       (page.figures).currency,
	       (page.texts).total_queries AS "totalQueries",
	       CASE WHEN $13::boolean THEN (page.texts).queries
	       ELSE jsonb_path_query_array((page.texts).queries, '$[0 to 9]')
	       END AS "topSearchQueries",
	       coalesce((page.texts).texts_start, (page.texts).period_start)
	           AS "textsPeriodStart",
	       (page.texts).period_end AS "textsPeriodEnd",
	       coalesce((page.figures).data_source, (page.texts).data_source)
	           AS "dataSource",
	       (page.figures).period_start AS "periodStart",
	       (page.figures).period_end AS "periodEnd",
	       page.sync_status AS "syncStatus",
	       CASE WHEN page.sync_error_code IS NOT NULL THEN json_build_object(
	           'code', page.sync_error_code, 'detail', page.sync_error)
	       END AS "syncError",
	       iso_time(page.last_sync_at) AS "lastSyncAt",
	       iso_time(page.last_attempt_at) AS "lastAttemptAt") shown
    ON page.nm_id IS NOT NULL
 ORDER BY page.number,
       CASE WHEN NOT $6::boolean THEN page.words END COLLATE "C",
       CASE WHEN $6::boolean THEN page.words END COLLATE "C"
       DESC NULLS LAST,
       page.nm_id
