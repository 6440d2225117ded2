-- How many of the registry's programs no pass since $3 has seen.  As sets: a
-- look-up for each program would pass over all that was seen, every time.
WITH held AS (
	SELECT program_id
	  FROM program
	 WHERE account_id = $1::bigint
	   AND retired_at IS NULL
), missing AS (
	SELECT program_id
	  FROM held
	EXCEPT
	SELECT program_id
	  FROM sync_seen
	 WHERE job_id = $2::uuid
	   AND pass >= $3::smallint
)
SELECT (SELECT count(*) FROM held) AS programs,
       (SELECT count(*) FROM missing) AS missing
