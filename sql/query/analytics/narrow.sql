-- The API gives a seller's search texts for so many days at most.
UPDATE seller
   SET texts_days = $2::smallint
 WHERE account_id = $1::bigint
RETURNING account_id
