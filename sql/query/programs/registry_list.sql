-- One page of the registry's programs that match, from a place on, and how
-- many match in all (on a row of its own when the page is empty).
-- $13 is the column to sort by, $14 whether from its end; $15 whether a place
-- is given: the key of the row before ($16 or $17, or neither: it was NULL)
-- and its id ($18).  NULLs come last in both directions, equals by their id.
-- A number is turned round by its bits (# -1), which cannot overflow.
-- Of an account that nobody has analyzed yet the planner expects one row: so
-- names are folded once and found by their key, and the rows of the page row by
-- row by theirs (OFFSET 0), instead of all being compared with all.
WITH names AS (
	SELECT jsonb_object_agg(c.business_id, folded(l.name)) AS by_id
	  FROM business_count c
	  JOIN business_label l USING (business_id)
	 WHERE c.account_id = $1::bigint
	   AND l.name IS NOT NULL
), matching AS (
	SELECT p.program_id,
	       CASE $13::text
	       WHEN 'start_date' THEN p.start_date - date '1970-01-01'
	       WHEN 'end_date' THEN p.end_date - date '1970-01-01'
	       WHEN 'budget' THEN p.budget
	       WHEN 'is_autobid' THEN p.is_autobid::integer
	       WHEN 'max_bid' THEN p.max_bid
	       WHEN 'billed_impressions' THEN p.billed_impressions
	       WHEN 'billed_clicks' THEN p.billed_clicks
	       WHEN 'ad_cost' THEN p.ad_cost
	       WHEN 'page_upgrade_monthly_rate'
	       THEN p.page_upgrade_monthly_rate
	       WHEN 'page_upgrade_cost' THEN p.page_upgrade_cost
	       WHEN 'businesses' THEN jsonb_array_length(p.businesses)
	       WHEN 'active_features'
	       THEN jsonb_array_length(p.active_features)
	       WHEN 'available_features'
	       THEN jsonb_array_length(p.available_features)
	       WHEN 'future_budget_changes'
	       THEN jsonb_array_length(p.future_budget_changes)
	       WHEN 'ad_categories' THEN jsonb_array_length(p.ad_categories)
	       WHEN 'created_at'
	       THEN (extract(epoch FROM p.created_at) * 1000000)::bigint
	       WHEN 'updated_at'
	       THEN (extract(epoch FROM p.updated_at) * 1000000)::bigint
	       END # CASE WHEN $14::boolean THEN -1 ELSE 0 END::bigint AS number,
	       CASE $13::text
	       WHEN 'program_id' THEN p.program_id
	       WHEN 'yelp_business_id' THEN p.yelp_business_id
	       WHEN 'partner_business_id' THEN p.partner_business_id
	       WHEN 'business_name'
	       THEN (SELECT by_id FROM names) ->> p.yelp_business_id
	       WHEN 'custom_name' THEN folded(p.custom_name)
	       WHEN 'status' THEN program_state(p.program_pause_status,
	           p.program_status, p.start_date, p.end_date, $2::date)
	       WHEN 'program_type' THEN p.program_type
	       WHEN 'program_status' THEN p.program_status
	       WHEN 'program_pause_status' THEN p.program_pause_status
	       WHEN 'currency' THEN p.currency
	       WHEN 'fee_period' THEN p.fee_period
	       WHEN 'ad_campaign_id' THEN p.ad_campaign_id
	       END AS words
	  FROM registry_matching($1::bigint, $2::date, $3::text, $4::text,
	           $5::text, $6::text, $7::text, $8::text, $9::date, $10::date,
	           $11::date, $12::date) p
), page AS (
	SELECT *
	  FROM matching
	 WHERE NOT $15::boolean
	    OR CASE
	       WHEN $16::bigint IS NOT NULL
	       THEN number > $16::bigint
	           OR number IS NULL
	           OR (number = $16::bigint
	               AND program_id COLLATE "C" > $18::text)
	       WHEN $17::text IS NOT NULL
	       THEN CASE WHEN $14::boolean THEN words COLLATE "C" < $17::text
	           ELSE words COLLATE "C" > $17::text END
	           OR words IS NULL
	           OR (words COLLATE "C" = $17::text
	               AND program_id COLLATE "C" > $18::text)
	       ELSE number IS NULL
	           AND words IS NULL
	           AND program_id COLLATE "C" > $18::text
	       END
	 ORDER BY number,
	       CASE WHEN NOT $14::boolean THEN words END COLLATE "C",
	       CASE WHEN $14::boolean THEN words END COLLATE "C"
	       DESC NULLS LAST,
	       program_id COLLATE "C"
	 LIMIT $19::bigint
	OFFSET $20::bigint
)
SELECT (SELECT count(*) FROM matching) AS total_count,
       page.number AS key_number,
       page.words AS key_words,
       p.program_id,
       p.program_type,
       program_state(p.program_pause_status, p.program_status, p.start_date,
           p.end_date, $2::date) AS status,
       p.program_status,
       p.program_pause_status,
       p.custom_name,
       p.yelp_business_id,
       p.partner_business_id,
       l.name AS business_name,
       p.businesses,
       p.start_date,
       p.end_date,
       p.currency,
       p.budget,
       p.is_autobid,
       p.max_bid,
       p.billed_impressions,
       p.billed_clicks,
       p.ad_cost,
       p.fee_period,
       p.page_upgrade_monthly_rate,
       p.page_upgrade_cost,
       p.future_budget_changes,
       p.active_features,
       p.available_features,
       p.ad_categories,
       p.ad_campaign_id,
       iso_time(p.created_at) AS created_at,
       iso_time(p.updated_at) AS updated_at
  FROM (SELECT) AS always
  LEFT JOIN page ON true
  LEFT JOIN LATERAL (
	SELECT *
	  FROM program
	 WHERE account_id = $1::bigint
	   AND program_id = page.program_id
	OFFSET 0) p ON true
  LEFT JOIN LATERAL (
	SELECT name
	  FROM business_label
	 WHERE business_id = p.yelp_business_id
	OFFSET 0) l ON true
 ORDER BY page.number,
       CASE WHEN NOT $14::boolean THEN page.words END COLLATE "C",
       CASE WHEN $14::boolean THEN page.words END COLLATE "C"
       DESC NULLS LAST,
       page.program_id COLLATE "C"
