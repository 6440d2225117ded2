-- The user's own name for a program; no row when there is no such program.
-- The same name again writes nothing.
WITH mine AS (
	SELECT program_id, custom_name
	  FROM program
	 WHERE account_id = $1::bigint
	   AND program_id = $2::text
	   AND retired_at IS NULL
	   FOR UPDATE
), changed AS (
	UPDATE program AS p
	   SET custom_name = $3::text,
	       updated_at = clock_timestamp()
	  FROM mine
	 WHERE p.account_id = $1::bigint
	   AND p.program_id = mine.program_id
	   AND mine.custom_name IS DISTINCT FROM $3::text
	RETURNING p.program_id
), version AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
	   AND EXISTS (SELECT FROM changed)
)
SELECT EXISTS (SELECT FROM changed) AS changed
  FROM mine
