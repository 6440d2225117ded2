-- Programs that the registry lacks, with their links and the kept counts, in one
-- statement inside the job's fence.
WITH added AS (
	INSERT INTO program (account_id, program_id, yelp_business_id,
	    partner_business_id, program_type, program_status,
	    program_pause_status, start_date, end_date, budget, currency,
	    is_autobid, max_bid, billed_impressions, billed_clicks, ad_cost,
	    fee_period, active_features, available_features, businesses,
	    future_budget_changes, page_upgrade_monthly_rate,
	    page_upgrade_cost, ad_categories, ad_campaign_id, row_hash)
	SELECT $1::bigint,
	       unnest($2::text[]) AS program_id,
	       unnest($3::text[]) AS yelp_business_id,
	       unnest($4::text[]) AS partner_business_id,
	       unnest($5::text[]) AS program_type,
	       unnest($6::text[]) AS program_status,
	       unnest($7::text[]) AS program_pause_status,
	       unnest($8::date[]) AS start_date,
	       unnest($9::date[]) AS end_date,
	       unnest($10::bigint[]) AS budget,
	       unnest($11::text[]) AS currency,
	       unnest($12::boolean[]) AS is_autobid,
	       unnest($13::bigint[]) AS max_bid,
	       unnest($14::bigint[]) AS billed_impressions,
	       unnest($15::bigint[]) AS billed_clicks,
	       unnest($16::bigint[]) AS ad_cost,
	       unnest($17::text[]) AS fee_period,
	       list -> unnest($18::int[]) AS active_features,
	       list -> unnest($19::int[]) AS available_features,
	       list -> unnest($20::int[]) AS businesses,
	       list -> unnest($21::int[]) AS future_budget_changes,
	       unnest($22::bigint[]) AS page_upgrade_monthly_rate,
	       unnest($23::bigint[]) AS page_upgrade_cost,
	       list -> unnest($24::int[]) AS ad_categories,
	       unnest($25::text[]) AS ad_campaign_id,
	       unnest($26::bytea[]) AS row_hash
	  FROM (SELECT $27::jsonb AS list OFFSET 0) AS lists
	 ORDER BY 2
), linked AS (
	INSERT INTO program_business (account_id, business_id, program_id)
	SELECT DISTINCT $1::bigint,
	       unnest($29::text[]) AS business_id,
	       unnest($28::text[]) AS program_id
	 ORDER BY program_id, business_id
	    ON CONFLICT DO NOTHING
	RETURNING business_id
), counted AS (
	INSERT INTO business_count AS c (account_id, business_id,
	    program_count)
	SELECT $1::bigint, business_id, count(*)
	  FROM linked
	 GROUP BY business_id
	 ORDER BY business_id
	    ON CONFLICT (account_id, business_id) DO UPDATE
	   SET program_count = c.program_count + excluded.program_count
), version AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
)
SELECT
