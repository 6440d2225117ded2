-- A seller whose token the API has taken.  No row: the operator has one of that
-- name, or there is no such time zone.
WITH new AS (
	INSERT INTO account (api, user_name, login_hash, sealed_password,
	                     verified_at)
	SELECT 'wb', $1, $2, $3, clock_timestamp()
	 WHERE NOT EXISTS (
		SELECT
		  FROM seller
		 WHERE operator = $4
		   AND name = $5)
	   AND shown_in('epoch', $9) IS NOT NULL
	RETURNING id
)
INSERT INTO seller (account_id, operator, name, limit_key, token_kind,
                    token_expires_at, time_zone)
SELECT id, $4, $5, $6, $7, to_timestamp($8::bigint), $9
  FROM new
RETURNING account_id AS id
