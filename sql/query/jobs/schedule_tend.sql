-- A schedule for each account and each kind that every account has ($1), and
-- a new plan for those whose settings have changed.  $2, $3: the default
-- expression and jitter.
WITH made AS (
	INSERT INTO schedule (kind, account_id)
	SELECT k.kind, a.id
	  FROM unnest($1::text[]) AS k (kind)
	 CROSS JOIN account a
	 WHERE NOT EXISTS (
		SELECT
		  FROM schedule s
		 WHERE s.kind = k.kind
		   AND s.account_id = a.id)
	 ORDER BY a.id
	    ON CONFLICT DO NOTHING
	RETURNING id
), changed AS (
	SELECT id
	  FROM schedule s
	 WHERE next_at > clock_timestamp()	-- one that is due fires first
	   AND planned_by IS DISTINCT FROM schedule_plan(s, $2, $3::bigint)
	 ORDER BY id
	   FOR UPDATE SKIP LOCKED
), replanned AS (
	UPDATE schedule
	   SET next_at = '-infinity'
	  FROM changed
	 WHERE schedule.id = changed.id
	RETURNING schedule.id
)
SELECT (SELECT count(*) FROM made) AS made,
       (SELECT count(*) FROM replanned) AS replanned
