-- The figures of a product over past runs, one row a period, newest first.
SELECT row_to_json(shown)::text AS body
  FROM (
	SELECT period_start AS "periodStart",
	       period_end AS "periodEnd",
	       views,
	       add_to_cart AS "addToCart",
	       orders,
	       ctr,
	       conversion_rate AS "conversionRate",
	       revenue,
	       units,
	       avg_order_value AS "avgOrderValue",
	       buyouts,
	       buyout_sum AS "buyoutSum",
	       cancels,
	       cancel_sum AS "cancelSum",
	       currency,
	       total_queries AS "totalQueries",
	       iso_time(funnel_at) AS "lastSyncAt"
	  FROM product_analytics
	 WHERE account_id = $1::bigint
	   AND nm_id = $2::bigint
	   AND funnel_at IS NOT NULL
	 ORDER BY period_end DESC, period_start DESC
	 LIMIT $3::bigint
) shown
