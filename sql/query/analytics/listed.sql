-- How many products the API has of a seller.
UPDATE seller
   SET listed = $2::bigint
 WHERE account_id = $1::bigint
RETURNING account_id
