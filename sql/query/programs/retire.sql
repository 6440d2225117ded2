-- What a complete pass has not seen is retired, softly: the row stays, with
-- the user's name for it, and comes back when the partner lists it again.
WITH missing AS (
	SELECT program_id
	  FROM program
	 WHERE account_id = $1::bigint
	   AND retired_at IS NULL
	EXCEPT
	SELECT program_id
	  FROM sync_seen
	 WHERE job_id = $2::uuid
	   AND pass >= $3::smallint
), gone AS (
	UPDATE program AS p
	   SET retired_at = clock_timestamp(),
	       updated_at = clock_timestamp()
	  FROM missing m
	 WHERE p.account_id = $1::bigint
	   AND p.program_id = m.program_id
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
