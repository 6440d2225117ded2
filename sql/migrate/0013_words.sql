-- As before, but the businesses that words name are looked up one by one: while
-- nobody has analyzed an account, all of them were compared with all links.
CREATE OR REPLACE FUNCTION registry_matching(of_account bigint, today date,
	of_business text, of_state text, of_type text, of_pause text,
	one_id text, words text, start_from date, start_to date,
	end_from date, end_to date) RETURNS SETOF program
LANGUAGE sql STABLE AS $$
	SELECT p.*
	  FROM program p
	 WHERE p.account_id = of_account
	   AND p.retired_at IS NULL
	   AND (one_id IS NULL OR p.program_id = one_id)
	   AND (of_state IS NULL OR of_state = program_state(
	       p.program_pause_status, p.program_status, p.start_date,
	       p.end_date, today))
	   AND (of_type IS NULL OR p.program_type = of_type)
	   AND (of_pause IS NULL
	       OR program_pause(p.program_pause_status) = of_pause)
	   AND (start_from IS NULL OR p.start_date >= start_from)
	   AND (start_to IS NULL OR p.start_date <= start_to)
	   AND (end_from IS NULL
	       OR coalesce(p.end_date, '9999-12-31') >= end_from)
	   AND (end_to IS NULL
	       OR coalesce(p.end_date, '9999-12-31') <= end_to)
	   AND (of_business IS NULL OR p.program_id IN (
		SELECT b.program_id
		  FROM program_business b
		 WHERE b.account_id = of_account
		   AND b.business_id = of_business))
	   AND (words IS NULL
	       OR strpos(folded(p.custom_name), folded(words)) > 0
	       OR strpos(lower(p.program_id COLLATE "C"), folded(words)) > 0
	       OR p.program_id IN (
		SELECT b.program_id
		  FROM (SELECT c.business_id
		          FROM business_count c
		          LEFT JOIN LATERAL (
				SELECT name
				  FROM business_label
				 WHERE business_id = c.business_id
				OFFSET 0) l ON true
		         WHERE c.account_id = of_account
		           AND (strpos(lower(c.business_id COLLATE "C"),
		                   folded(words)) > 0
		               OR strpos(folded(l.name), folded(words)) > 0)
		        -- First the few businesses, then their programs.
		        OFFSET 0) named
		 CROSS JOIN LATERAL (
			SELECT program_id
			  FROM program_business
			 WHERE account_id = of_account
			   AND business_id = named.business_id
			OFFSET 0) b))
$$;
