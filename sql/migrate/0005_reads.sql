-- Reading the registry: one predicate that the list, the export, the counts of
-- the filters and the row of one program all go through.

-- Names of businesses, wherever they come from.  Until a source exists nobody
-- has one; the migration that brings it replaces this view, and every search,
-- sort and answer follows.
CREATE VIEW business_label (business_id, name) AS
	SELECT NULL::text, NULL::text
	 WHERE false;

-- As program_state() has it: only the word PAUSED is paused.
CREATE FUNCTION program_pause(pause text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN pause = 'PAUSED' THEN 'PAUSED' ELSE 'NOT_PAUSED' END
$$;

-- How words are compared when people search or sort: without regard to case,
-- also in databases whose own locale is C.
CREATE FUNCTION folded(words text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT lower(words COLLATE "und-x-icu")
$$;

-- The account's programs that match; NULL is "whatever it is".  A null end is
-- open, which is what 9999-12-31 says too; an unknown start is in no range.
-- Made so that PostgreSQL puts it in place of the call (a single SELECT,
-- STABLE, not STRICT): keep it so.
CREATE FUNCTION registry_matching(of_account bigint, today date,
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
		          LEFT JOIN business_label l USING (business_id)
		         WHERE c.account_id = of_account
		           AND (strpos(lower(c.business_id COLLATE "C"),
		                   folded(words)) > 0
		               OR strpos(folded(l.name), folded(words)) > 0)
		        -- First the few businesses, then their programs.
		        OFFSET 0) named
		  JOIN program_business b
		    ON b.account_id = of_account
		   AND b.business_id = named.business_id))
$$;
