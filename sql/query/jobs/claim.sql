-- The next due job, or one whose holder's lease ran out.
WITH due AS (
	SELECT id
	  FROM job
	 WHERE kind = ANY ($3::text[])
	   AND state IN ('queued', 'running', 'waiting')
	   AND run_at <= clock_timestamp()
	   AND (state <> 'running' OR lease_until < clock_timestamp())
	 ORDER BY priority DESC, run_at, id
	 LIMIT 1
	   FOR UPDATE SKIP LOCKED
)
UPDATE job
   SET state = 'running',
       fence = fence + 1,
       claims = claims + 1,
       holder = $1,
       lease_until = clock_timestamp() + $2::bigint * interval '1 ms',
       started_at = coalesce(started_at, clock_timestamp()),
       waiting_reason = NULL
  FROM due
 WHERE job.id = due.id
RETURNING job.id, kind, account_id, fence, claims, request,
	checkpoint,
	(extract(epoch FROM clock_timestamp() - started_at) * 1000)::bigint
		AS elapsed_ms,
	done, total, added, updated, removed, unchanged, failed,
	partner_ms, database_ms, names_ms, calls_made, calls_left,
	crash_mark_now() AS crash_mark
