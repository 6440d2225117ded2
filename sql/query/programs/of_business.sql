-- One page of a business's program ids in a stable order, and how many there
-- are in all (on a row of its own when the page is past the end).
WITH ids AS (
	SELECT b.program_id
	  FROM program_business b
	  JOIN program p USING (account_id, program_id)
	 WHERE b.account_id = $1::bigint
	   AND b.business_id = $2
	   AND p.retired_at IS NULL
	   AND ($3 = 'ALL' OR $3 = program_state(p.program_pause_status,
	       p.program_status, p.start_date, p.end_date, pacific_today()))
), page AS (
	SELECT program_id
	  FROM ids
	 ORDER BY program_id
	 LIMIT $4::bigint
	OFFSET $5::bigint
)
SELECT (SELECT count(*) FROM ids) AS total_count, page.program_id
  FROM (SELECT) AS always
  LEFT JOIN page ON true
 ORDER BY page.program_id
