-- Those of the ids that the account's registry has, in a stable order, and how
-- many they are (on a row of its own when there is none).
WITH ids AS (
	SELECT program_id
	  FROM program
	 WHERE account_id = $1::bigint
	   AND program_id = ANY ($2::text[])
	   AND retired_at IS NULL
)
SELECT (SELECT count(*) FROM ids) AS total_count, ids.program_id
  FROM (SELECT) AS always
  LEFT JOIN ids ON true
 ORDER BY ids.program_id
