-- How long until a job of these kinds is due, at most $2 ms.
SELECT least($2::bigint, min(greatest(0, ceil(extract(epoch FROM run_at
           - clock_timestamp()) * 1000)))::bigint) AS ms
  FROM job
 WHERE kind = ANY ($1::text[])
   AND (state IN ('queued', 'waiting')
    -- Freed, and pausing before the next try.
    OR state = 'running' AND lease_until = '-infinity'
        AND run_at > clock_timestamp())
   AND run_at < clock_timestamp() + $2::bigint * interval '1 ms'
