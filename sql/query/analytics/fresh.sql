-- Whether nothing of a seller's data is older than $2 hours.  That the API has
-- none is an answer as well, as of when it was last said.
SELECT count(*) > 0 AND bool_and(coalesce(
       CASE WHEN sync_error_code = 'no_data' THEN last_attempt_at
            ELSE last_sync_at END
       > clock_timestamp() - $2::bigint * interval '1 hour', false)) AS fresh
  FROM product
 WHERE account_id = $1::bigint
