-- Programs that the registry holds otherwise, or as retired, with their links and
-- the kept counts, in one statement inside the job's fence.  Not ON CONFLICT,
-- which locks and logs each row before it changes it; and the links only of the
-- programs in $30, whose businesses may be others.
WITH changed AS (
	UPDATE program AS p
	   SET yelp_business_id = i.yelp_business_id,
	       partner_business_id = i.partner_business_id,
	       program_type = i.program_type,
	       program_status = i.program_status,
	       program_pause_status = i.program_pause_status,
	       start_date = i.start_date,
	       end_date = i.end_date,
	       budget = i.budget,
	       currency = i.currency,
	       is_autobid = i.is_autobid,
	       max_bid = i.max_bid,
	       billed_impressions = i.billed_impressions,
	       billed_clicks = i.billed_clicks,
	       ad_cost = i.ad_cost,
	       fee_period = i.fee_period,
	       active_features = i.active_features,
	       available_features = i.available_features,
	       businesses = i.businesses,
	       future_budget_changes = i.future_budget_changes,
	       page_upgrade_monthly_rate = i.page_upgrade_monthly_rate,
	       page_upgrade_cost = i.page_upgrade_cost,
	       ad_categories = i.ad_categories,
	       ad_campaign_id = i.ad_campaign_id,
	       row_hash = i.row_hash,
	       retired_at = NULL,
	       updated_at = clock_timestamp()
	  FROM (SELECT unnest($2::text[]) AS program_id,
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
	          FROM (SELECT $27::jsonb AS list OFFSET 0) AS lists) AS i
	 WHERE p.account_id = $1::bigint
	   AND p.program_id = i.program_id
), link AS MATERIALIZED (
	SELECT DISTINCT unnest($28::text[]) AS program_id,
	       unnest($29::text[]) AS business_id
), held AS MATERIALIZED (
	SELECT i.program_id, b.business_id
	  FROM (SELECT unnest($30::text[]) AS program_id) AS i
	 CROSS JOIN LATERAL (
		-- By its key, not by reading all of the account.
		SELECT business_id
		  FROM program_business
		 WHERE account_id = $1::bigint
		   AND program_id = i.program_id
		OFFSET 0) AS b
), unlinked AS (
	DELETE FROM program_business AS b
	 USING (SELECT business_id, program_id FROM held
	        EXCEPT
	        SELECT business_id, program_id FROM link) AS gone
	 WHERE b.account_id = $1::bigint
	   AND b.business_id = gone.business_id
	   AND b.program_id = gone.program_id
	RETURNING b.business_id
), linked AS (
	INSERT INTO program_business (account_id, business_id, program_id)
	SELECT $1::bigint, business_id, program_id
	  FROM (SELECT business_id, program_id FROM link
	        EXCEPT
	        SELECT business_id, program_id FROM held) AS come
	 ORDER BY program_id, business_id
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
)
SELECT
