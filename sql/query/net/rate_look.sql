-- How long the partner wants nothing of this budget; no row: come.
SELECT ms_until(clock_timestamp(), blocked_until) AS blocked_ms
  FROM rate_bucket
 WHERE api = $1
   AND account = $2
   AND method = $3
   AND blocked_until > clock_timestamp()
