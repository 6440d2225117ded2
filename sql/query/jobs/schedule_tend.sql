-- A schedule for each account and each kind that every account of an API has
-- ($1 to $3: kind, API, default expression), in a seller's own time zone; and a
-- new plan for those whose settings have changed.  $4: the default jitter.
WITH kinds AS (
	SELECT *
	  FROM unnest($1::text[], $2::text[], $3::text[]) AS k (kind, api, cron)
), made AS (
	INSERT INTO schedule (kind, account_id, time_zone)
	SELECT k.kind, a.id, coalesce(s.time_zone, 'UTC')
	  FROM kinds k
	  JOIN account a USING (api)
	  LEFT JOIN seller s ON s.account_id = a.id
	 WHERE k.cron <> ''
	   AND NOT EXISTS (
		SELECT
		  FROM schedule s
		 WHERE s.kind = k.kind
		   AND s.account_id = a.id)
	 ORDER BY a.id
	    ON CONFLICT DO NOTHING
	RETURNING id
), changed AS (
	SELECT s.id
	  FROM schedule s
	  LEFT JOIN kinds k USING (kind)
	 WHERE s.next_at > clock_timestamp()	-- one that is due fires first
	   AND s.planned_by IS DISTINCT FROM schedule_plan(s,
	       coalesce(k.cron, ''), $4::bigint)
	 ORDER BY s.id
	   FOR UPDATE OF s SKIP LOCKED
), replanned AS (
	UPDATE schedule
	   SET next_at = '-infinity'
	  FROM changed
	 WHERE schedule.id = changed.id
	RETURNING schedule.id
)
SELECT (SELECT count(*) FROM made) AS made,
       (SELECT count(*) FROM replanned) AS replanned
