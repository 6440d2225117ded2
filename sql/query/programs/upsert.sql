-- Programs that are new or differ into the registry, with their links and the
-- kept counts, in one statement inside the job's fence.
WITH input AS (
	SELECT *
	  FROM unnest($2::text[], $3::text[], $4::text[], $5::text[],
	              $6::text[], $7::text[], $8::date[], $9::date[],
	              $10::bigint[], $11::text[], $12::boolean[],
	              $13::bigint[], $14::bigint[], $15::bigint[],
	              $16::bigint[], $17::text[], $18::jsonb[], $19::jsonb[],
	              $20::jsonb[], $21::jsonb[], $22::bigint[],
	              $23::bigint[], $24::jsonb[], $25::text[], $26::bytea[])
	       AS t (program_id, yelp_business_id, partner_business_id,
	             program_type, program_status, program_pause_status,
	             start_date, end_date, budget, currency, is_autobid,
	             max_bid, billed_impressions, billed_clicks, ad_cost,
	             fee_period, active_features, available_features,
	             businesses, future_budget_changes,
	             page_upgrade_monthly_rate, page_upgrade_cost,
	             ad_categories, ad_campaign_id, row_hash)
), link AS (
	SELECT DISTINCT program_id, business_id
	  FROM unnest($27::text[], $28::text[]) AS t (program_id, business_id)
), written AS (
	INSERT INTO program AS p (account_id, program_id, yelp_business_id,
	    partner_business_id, program_type, program_status,
	    program_pause_status, start_date, end_date, budget, currency,
	    is_autobid, max_bid, billed_impressions, billed_clicks, ad_cost,
	    fee_period, active_features, available_features, businesses,
	    future_budget_changes, page_upgrade_monthly_rate,
	    page_upgrade_cost, ad_categories, ad_campaign_id, row_hash)
	SELECT $1::bigint, program_id, yelp_business_id, partner_business_id,
	       program_type, program_status, program_pause_status, start_date,
	       end_date, budget, currency, is_autobid, max_bid,
	       billed_impressions, billed_clicks, ad_cost, fee_period,
	       active_features, available_features, businesses,
	       future_budget_changes, page_upgrade_monthly_rate,
	       page_upgrade_cost, ad_categories, ad_campaign_id, row_hash
	  FROM input
	 ORDER BY program_id
	    ON CONFLICT (account_id, program_id) DO UPDATE
	   SET yelp_business_id = excluded.yelp_business_id,
	       partner_business_id = excluded.partner_business_id,
	       program_type = excluded.program_type,
	       program_status = excluded.program_status,
	       program_pause_status = excluded.program_pause_status,
	       start_date = excluded.start_date,
	       end_date = excluded.end_date,
	       budget = excluded.budget,
	       currency = excluded.currency,
	       is_autobid = excluded.is_autobid,
	       max_bid = excluded.max_bid,
	       billed_impressions = excluded.billed_impressions,
	       billed_clicks = excluded.billed_clicks,
	       ad_cost = excluded.ad_cost,
	       fee_period = excluded.fee_period,
	       active_features = excluded.active_features,
	       available_features = excluded.available_features,
	       businesses = excluded.businesses,
	       future_budget_changes = excluded.future_budget_changes,
	       page_upgrade_monthly_rate = excluded.page_upgrade_monthly_rate,
	       page_upgrade_cost = excluded.page_upgrade_cost,
	       ad_categories = excluded.ad_categories,
	       ad_campaign_id = excluded.ad_campaign_id,
	       row_hash = excluded.row_hash,
	       retired_at = NULL,
	       updated_at = clock_timestamp()
	 WHERE p.row_hash <> excluded.row_hash
	    OR p.retired_at IS NOT NULL
	RETURNING p.program_id, (p.xmax = 0) AS is_new
), unlinked AS (
	DELETE FROM program_business AS b
	 USING written w
	 WHERE NOT w.is_new
	   AND b.account_id = $1::bigint
	   AND b.program_id = w.program_id
	   AND NOT EXISTS (
		SELECT FROM link l
		 WHERE l.program_id = b.program_id
		   AND l.business_id = b.business_id)
	RETURNING b.business_id
), linked AS (
	INSERT INTO program_business (account_id, business_id, program_id)
	SELECT $1::bigint, l.business_id, l.program_id
	  FROM link l
	  JOIN written w USING (program_id)
	 ORDER BY l.business_id, l.program_id
	    ON CONFLICT DO NOTHING
	RETURNING business_id
), counted AS (
	INSERT INTO business_count AS c (account_id, business_id,
	    program_count)
	SELECT $1::bigint, business_id, sum(change)
	  FROM (SELECT business_id, 1 AS change FROM linked
	        UNION ALL
	        SELECT business_id, -1 FROM unlinked) AS change
	 GROUP BY business_id
	HAVING sum(change) <> 0
	 ORDER BY business_id
	    ON CONFLICT (account_id, business_id) DO UPDATE
	   SET program_count = c.program_count + excluded.program_count
), version AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
	   AND EXISTS (SELECT FROM written)
)
SELECT w.program_id, w.is_new
  FROM written w
