-- What is new of each watched job: its state, and its events after a number,
-- in order, up to a limit.  No row: no such job of that account (0: of none).
SELECT w.i,
       j.n AS last,
       j.state IN ('done', 'partial', 'failed', 'cancelled') AS final,
       j.status,
       j.answer,
       CASE j.state
            WHEN 'waiting'
            THEN ceil(extract(epoch FROM j.run_at - clock_timestamp())
                      * 1000)::bigint
            -- Nobody knows how long: too long to wait for.
            WHEN 'paused' THEN 2147483647
       END AS held_ms,
       e.n,
       e.data
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) WITH ORDINALITY
       AS w (job, account, after, i)
  JOIN job j ON j.id = w.job
   AND j.account_id IS NOT DISTINCT FROM nullif(w.account, 0)
  LEFT JOIN LATERAL (
       SELECT n, data
         FROM job_event
        WHERE job_id = j.id
          AND n > w.after
        ORDER BY n
        LIMIT $4) e ON true
 ORDER BY w.i, e.n
