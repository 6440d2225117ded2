-- Every business of the account, most programs first.
SELECT business_id, program_count
  FROM business_count
 WHERE account_id = $1::bigint
   AND program_count > 0
 ORDER BY program_count DESC, business_id
