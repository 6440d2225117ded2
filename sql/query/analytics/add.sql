-- A seller whose token the API has taken.  No row: the operator has one of that
-- name, maybe since a moment ago, or there is no such time zone.  The seller
-- comes before its account, as it is its name that may be taken; the reference
-- is looked at when both are there.
WITH seller AS (
	INSERT INTO seller (account_id, operator, name, limit_key, token_kind,
	                    token_expires_at, time_zone, listed)
	SELECT nextval(pg_get_serial_sequence('account', 'id')), $4, $5, $6,
	       $7, to_timestamp($8::bigint), $9, $10::bigint
	 WHERE shown_in('epoch', $9) IS NOT NULL
	    ON CONFLICT (operator, name) DO NOTHING
	RETURNING account_id
)
INSERT INTO account (id, api, user_name, login_hash, sealed_password,
                     verified_at)
OVERRIDING SYSTEM VALUE
SELECT account_id, 'wb', $1, $2, $3, clock_timestamp()
  FROM seller
RETURNING id
