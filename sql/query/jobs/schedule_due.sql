-- One schedule that is due or has no plan yet, locked until COMMIT, with the
-- time that a clock shows in its zone, its delay taken off: what follows from
-- that time runs as much later.  $1, $2: kinds, and the expression that each has
-- by default.  A refused account's schedule rests.
WITH due AS (
	SELECT s.*,
	       coalesce(s.cron, k.cron) AS expression
	  FROM schedule s
	  JOIN unnest($1::text[], $2::text[]) AS k (kind, cron)
	    ON k.kind = s.kind
	 WHERE s.enabled
	   AND s.next_at <= clock_timestamp()
	   AND coalesce(s.cron, k.cron) <> ''
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
	       schedule_delay_ms(s, $3::bigint) AS delay_ms,
	       clock_timestamp() AS now
	  FROM due
	  JOIN schedule s USING (id)
), based AS (
	SELECT timed.*,
	       now - delay_ms * interval '1 ms' AS base,
	       shown_in(now - delay_ms * interval '1 ms', time_zone) AS shown
	  FROM timed
)
SELECT id, kind, coalesce(account_id, 0) AS account_id, request,
       expression AS cron, time_zone, delay_ms, base,
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
