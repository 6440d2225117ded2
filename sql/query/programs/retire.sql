-- What a complete pass has not seen is retired, softly: the row stays, with
-- the user's name for it, and comes back when the partner lists it again.
WITH gone AS (
	UPDATE program AS p
	   SET retired_at = clock_timestamp(),
	       updated_at = clock_timestamp()
	 WHERE p.account_id = $1::bigint
	   AND p.retired_at IS NULL
	   AND NOT EXISTS (
		SELECT FROM sync_seen s
		 WHERE s.job_id = $2::uuid
		   AND s.pass >= $3::smallint
		   AND s.program_id = p.program_id)
	RETURNING p.program_id
), unlinked AS (
	DELETE FROM program_business AS b
	 USING gone
	 WHERE b.account_id = $1::bigint
	   AND b.program_id = gone.program_id
	RETURNING b.business_id
), counted AS (
	INSERT INTO business_count AS c (account_id, business_id,
	    program_count)
	SELECT $1::bigint, business_id, -count(*)
	  FROM unlinked
	 GROUP BY business_id
	 ORDER BY business_id
	    ON CONFLICT (account_id, business_id) DO UPDATE
	   SET program_count = c.program_count + excluded.program_count
), version AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
	   AND EXISTS (SELECT FROM gone)
)
SELECT count(*) AS retired
  FROM gone
