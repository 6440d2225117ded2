-- History is kept for jobs.keep; a bounded bite at a time.
WITH old AS (
	SELECT id
	  FROM job
	 WHERE finished_at < statement_timestamp() - $1::bigint * interval '1 ms'
	 ORDER BY finished_at
	 LIMIT 1000
), gone AS (
	DELETE FROM job
	 USING old
	 WHERE job.id = old.id
	RETURNING job.id
), seen AS (
	-- What passes saw whose job is over.
	DELETE FROM sync_seen s
	 WHERE NOT EXISTS (
		SELECT FROM job
		 WHERE id = s.job_id
		   AND finished_at IS NULL)
)
SELECT count(*) AS trimmed
  FROM gone
