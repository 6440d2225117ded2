-- Which moment a clock in zone $3 means by $1, seen from moment $2.  By
-- elapsed time ($4) each hour has its turn when clocks are put back or forward;
-- otherwise a time that is skipped comes as much later, and one that comes
-- twice is taken once: the answer is PostgreSQL's.  Not ahead: that one has
-- passed.
WITH meant AS (
	SELECT CASE
		WHEN $4::boolean THEN $2::timestamptz + ($1::timestamp
		    - ($2::timestamptz AT TIME ZONE $3::text))
		ELSE $1::timestamp AT TIME ZONE $3::text
	END AS at
)
SELECT at, at > $2::timestamptz AS ahead
  FROM meant
