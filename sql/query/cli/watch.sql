-- What is new of one job: its events after a number, and whether it has ended
-- or rests until somebody lets it go on.
SELECT j.n AS last,
       j.finished_at IS NOT NULL AS final,
       j.state = 'paused' AS paused,
       e.n,
       e.data
  FROM job j
  LEFT JOIN LATERAL (
       SELECT n, data
         FROM job_event
        WHERE job_id = j.id
          AND n > $2::bigint
        ORDER BY n
        LIMIT 200) e ON true
 WHERE j.id = $1::uuid
 ORDER BY e.n
