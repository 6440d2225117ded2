-- What each value of a filter would leave, the other filters being as they
-- are: so each part leaves its own filter out.  A value that is chosen now is
-- there even when it leaves nothing.
SELECT f.facet, f.value, l.name, sum(f.programs)::bigint AS programs
  FROM (
	-- The join is full so that it is made by hash: of an account that was
	-- first synced after the last ANALYZE the planner expects one row, and
	-- would compare all with all.
	SELECT 'businesses' AS facet, link.business_id AS value,
	       count(p.program_id) AS programs
	  FROM registry_matching($1::bigint, $2::date, NULL, $4::text,
	           $5::text, $6::text, $7::text, $8::text, $9::date, $10::date,
	           $11::date, $12::date) p
	  FULL JOIN (
		SELECT program_id, business_id
		  FROM program_business
		 WHERE account_id = $1::bigint) link USING (program_id)
	 GROUP BY link.business_id
	HAVING count(p.program_id) > 0
	   AND count(link.business_id) > 0
	UNION ALL
	SELECT 'statuses', program_state(p.program_pause_status,
	           p.program_status, p.start_date, p.end_date, $2::date),
	       count(*)
	  FROM registry_matching($1::bigint, $2::date, $3::text, NULL,
	           $5::text, $6::text, $7::text, $8::text, $9::date, $10::date,
	           $11::date, $12::date) p
	 GROUP BY 2
	UNION ALL
	SELECT 'types', p.program_type, count(*)
	  FROM registry_matching($1::bigint, $2::date, $3::text, $4::text,
	           NULL, $6::text, $7::text, $8::text, $9::date, $10::date,
	           $11::date, $12::date) p
	 WHERE p.program_type IS NOT NULL
	 GROUP BY 2
	UNION ALL
	SELECT 'pause', program_pause(p.program_pause_status), count(*)
	  FROM registry_matching($1::bigint, $2::date, $3::text, $4::text,
	           $5::text, NULL, $7::text, $8::text, $9::date, $10::date,
	           $11::date, $12::date) p
	 GROUP BY 2
	UNION ALL
	SELECT chosen.*, 0
	  FROM (VALUES ('businesses', $3::text), ('statuses', $4::text),
	               ('types', $5::text), ('pause', $6::text)) AS chosen
	 WHERE chosen.column2 IS NOT NULL
  ) AS f
  -- A name is told only of a business that is the account's own.
  LEFT JOIN LATERAL (
	SELECT l.name
	  FROM business_count c
	  JOIN business_label l USING (business_id)
	 WHERE f.facet = 'businesses'
	   AND c.account_id = $1::bigint
	   AND c.business_id = f.value
	   AND c.program_count > 0
	OFFSET 0) AS l ON true
 GROUP BY f.facet, f.value, l.name
 ORDER BY f.facet, programs DESC, f.value COLLATE "C"
