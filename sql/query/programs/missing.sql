-- How many of the registry's programs no pass since $3 has seen.
SELECT count(*) AS programs,
       count(*) FILTER (WHERE NOT EXISTS (
		SELECT FROM sync_seen s
		 WHERE s.job_id = $2::uuid
		   AND s.pass >= $3::smallint
		   AND s.program_id = p.program_id)) AS missing
  FROM program p
 WHERE p.account_id = $1::bigint
   AND p.retired_at IS NULL
