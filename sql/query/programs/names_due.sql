-- Businesses of the account beyond $2 that are to be asked about now.
SELECT c.business_id
  FROM business_count c
  LEFT JOIN business b USING (business_id)
 WHERE c.account_id = $1::bigint
   AND c.business_id > $2
   AND c.program_count > 0
   AND (b.business_id IS NULL OR b.next_try_at <= statement_timestamp())
   AND NOT EXISTS (
	SELECT FROM account a
	 WHERE a.id = $1::bigint
	   AND a.names_after > statement_timestamp())
 ORDER BY c.business_id
 LIMIT $3::bigint
