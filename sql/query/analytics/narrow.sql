-- The API gives a seller's search texts for so many days at most, as of now.
UPDATE seller
   SET texts_days = $2::smallint,
       texts_days_at = clock_timestamp()
 WHERE account_id = $1::bigint
RETURNING account_id
