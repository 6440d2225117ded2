-- A budget that nobody took from for a day is full: as good as no row.
WITH gone AS (
	DELETE FROM rate_bucket
	 WHERE taken_at < clock_timestamp() - interval '1 day'
	   AND tat < clock_timestamp()
	   AND blocked_until < clock_timestamp()
	RETURNING method
)
SELECT count(*) AS trimmed
  FROM gone
