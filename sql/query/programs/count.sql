SELECT count(*) AS programs
  FROM program
 WHERE account_id = $1::bigint
   AND retired_at IS NULL
