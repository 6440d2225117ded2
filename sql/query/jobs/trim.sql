-- History is kept for jobs.keep; a bounded bite at a time.
WITH old AS (
	SELECT id
	  FROM job
	 WHERE finished_at < clock_timestamp() - $1::bigint * interval '1 ms'
	 ORDER BY finished_at
	 LIMIT 1000
), gone AS (
	DELETE FROM job
	 USING old
	 WHERE job.id = old.id
	RETURNING job.id
)
SELECT count(*) AS trimmed
  FROM gone
