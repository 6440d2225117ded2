-- Does the first page match the registry: as many programs, and these with
-- these values?
SELECT (SELECT count(*) FROM program
         WHERE account_id = $1::bigint
           AND retired_at IS NULL) = $2::bigint
   AND NOT EXISTS (
	SELECT
	  FROM unnest($3::text[], $4::bytea[]) AS t (program_id, row_hash)
	  LEFT JOIN program p
	    ON p.account_id = $1::bigint
	   AND p.program_id = t.program_id
	   AND p.row_hash = t.row_hash
	   AND p.retired_at IS NULL
	 WHERE p.program_id IS NULL) AS matches
