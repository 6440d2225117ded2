-- Whether nothing of a seller's data is older than $2 hours.  That the API has
-- none, or none that can be kept, is an answer as well, as of when it was last
-- said; but where it refuses everything nothing is fresh.
SELECT count(*) > 0
   AND bool_and(coalesce(CASE
       WHEN sync_error_code IN ('no_data', 'bad_row', 'partner_refused')
       THEN last_attempt_at
       ELSE last_sync_at
       END > since, false))
   AND bool_or(sync_error_code = 'no_data' OR last_sync_at > since) AS fresh
  FROM product,
       (SELECT clock_timestamp() - $2::bigint * interval '1 hour' AS since)
       AS moment
 WHERE account_id = $1::bigint
