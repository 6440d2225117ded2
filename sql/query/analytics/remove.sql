-- The seller with all that is its own; its jobs that have not ended are to be
-- cancelled first.
DELETE FROM account
 USING seller
 WHERE seller.account_id = account.id
   AND account.id = $1::bigint
   AND seller.operator = $2
RETURNING account.id
