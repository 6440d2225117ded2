-- Every business of the account, most programs first, with its name and how
-- many of its programs have which status on the day $2.  Before them, with an
-- empty id, how many of all programs have: one in three businesses counts once.
WITH day AS MATERIALIZED (
	SELECT $2::date AS today
), today AS (
	SELECT program_id,
	       program_state(program_pause_status, program_status, start_date,
	           end_date, day.today) AS state
	  FROM program, day
	 WHERE account_id = $1::bigint
	   AND retired_at IS NULL
), link AS (
	SELECT program_id, business_id
	  FROM program_business
	 WHERE account_id = $1::bigint
), counted AS (
	-- Every link has its program; the join is full so that it is made by
	-- hash.  Of an account that was first synced after the last ANALYZE the
	-- planner expects one row, and would compare all with all.
	SELECT link.business_id, today.state
	  FROM today
	  FULL JOIN link USING (program_id)
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
SELECT business_id, program_count, n.name, current, past, future, paused,
       inactive
  FROM (
	-- Put together by grouping, which is never all with all either.
	SELECT business_id, max(program_count) AS program_count,
	       sum(current)::bigint AS current, sum(past)::bigint AS past,
	       sum(future)::bigint AS future, sum(paused)::bigint AS paused,
	       sum(inactive)::bigint AS inactive
	  FROM (SELECT business_id, program_count, 0 AS current, 0 AS past,
	               0 AS future, 0 AS paused, 0 AS inactive
	          FROM listed
	        UNION ALL
	        SELECT business_id, NULL, current, past, future, paused,
	               inactive
	          FROM per) AS both_of
	 GROUP BY business_id
	HAVING max(program_count) IS NOT NULL OR business_id = '') AS told
  LEFT JOIN business n USING (business_id)
 ORDER BY program_count DESC NULLS FIRST, business_id
