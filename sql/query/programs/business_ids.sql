-- Every business of the account, most programs first, with its name and how
-- many of its programs have which status on the day $2.  Before them, with an
-- empty id, how many of all programs have: one in three businesses counts once.
WITH today AS (
	SELECT program_id,
	       program_state(program_pause_status, program_status, start_date,
	           end_date, $2::date) AS state
	  FROM program
	 WHERE account_id = $1::bigint
	   AND retired_at IS NULL
), counted AS (
	SELECT b.business_id, t.state
	  FROM today t
	  JOIN program_business b
	    ON b.account_id = $1::bigint
	   AND b.program_id = t.program_id
	UNION ALL
	SELECT '', state
	  FROM today
), per AS (
	SELECT business_id,
	       count(*) FILTER (WHERE state = 'CURRENT') AS current,
	       count(*) FILTER (WHERE state = 'PAST') AS past,
	       count(*) FILTER (WHERE state = 'FUTURE') AS future,
	       count(*) FILTER (WHERE state = 'PAUSED') AS paused,
	       count(*) FILTER (WHERE state = 'INACTIVE') AS inactive
	  FROM counted
	 GROUP BY business_id
), listed AS (
	SELECT business_id, program_count
	  FROM business_count
	 WHERE account_id = $1::bigint
	   AND program_count > 0
	UNION ALL
	SELECT '', NULL
)
SELECT business_id, program_count, n.name,
       coalesce(current, 0) AS current,
       coalesce(past, 0) AS past,
       coalesce(future, 0) AS future,
       coalesce(paused, 0) AS paused,
       coalesce(inactive, 0) AS inactive
  FROM listed
  LEFT JOIN per USING (business_id)
  LEFT JOIN business n USING (business_id)
 ORDER BY program_count DESC NULLS FIRST, business_id
