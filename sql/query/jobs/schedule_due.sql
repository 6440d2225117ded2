-- One schedule that is due or has no plan yet, locked until COMMIT, with the
-- time that a clock shows in its zone, its delay taken off: what follows from
-- that time runs as much later.  A refused account's schedule rests.
WITH due AS (
	SELECT s.*
	  FROM schedule s
	 WHERE s.enabled
	   AND s.next_at <= clock_timestamp()
	   AND s.kind = ANY ($1::text[])
	   AND coalesce(s.cron, $2) <> ''
	   AND (s.account_id IS NULL OR EXISTS (
		SELECT
		  FROM account a
		 WHERE a.id = s.account_id
		   AND a.state = 'active'))
	 ORDER BY s.next_at, s.id
	 LIMIT 1
	   FOR UPDATE OF s SKIP LOCKED
), timed AS MATERIALIZED (
	SELECT due.*,
	       schedule_delay_ms(due::schedule, $3::bigint) AS delay_ms,
	       clock_timestamp() AS now
	  FROM due
), based AS (
	SELECT timed.*,
	       now - delay_ms * interval '1 ms' AS base,
	       shown_in(now - delay_ms * interval '1 ms', time_zone) AS shown
	  FROM timed
)
SELECT id, kind, coalesce(account_id, 0) AS account_id, request,
       coalesce(cron, $2) AS cron, time_zone, delay_ms, base,
       next_at = '-infinity' AS unplanned,
       missed = 'skip' AND next_at < now - $4::bigint * interval '1 ms'
           AS skipped,
       shown IS NULL AS nowhere,
       base + interval '1 day' AS tomorrow,
       extract(year FROM shown)::integer AS year,
       extract(month FROM shown)::integer AS month,
       extract(day FROM shown)::integer AS day,
       extract(hour FROM shown)::integer AS hour,
       extract(minute FROM shown)::integer AS minute
  FROM based
