-- Progress, checkpoint, events and errors, in the transaction that the fence
-- opened.  NOTIFY reaches streams only when it commits.
WITH me AS (
	UPDATE job
	   SET lease_until = clock_timestamp() + $3::bigint * interval '1 ms',
	       claims = 0,
	       checkpoint = $4::jsonb,
	       done = $5::bigint,
	       total = $6::bigint,
	       added = $7::bigint,
	       updated = $8::bigint,
	       removed = $9::bigint,
	       unchanged = $10::bigint,
	       failed = $11::bigint,
	       partner_ms = $12::bigint,
	       database_ms = $13::bigint,
	       names_ms = $14::bigint,
	       n = n + cardinality($15::text[]),
	       calls_made = $21::bigint,
	       calls_left = $22::bigint,
	       eta_at = CASE WHEN $20::bigint IS NOT NULL
	           THEN clock_timestamp() + $20::bigint * interval '1 ms'
	           WHEN $5::bigint BETWEEN 1 AND $6::bigint THEN
	           clock_timestamp() + (clock_timestamp() - started_at)
	           * (($6::bigint - $5::bigint) / $5::double precision) END
	 WHERE id = $1::uuid
	   AND fence = $2::bigint
	   AND state = 'running'
	RETURNING id, n
), events AS (
	INSERT INTO job_event (job_id, n, data)
	SELECT me.id, me.n - cardinality($15::text[]) + e.i, e.data
	  FROM me, unnest($15::text[]) WITH ORDINALITY e (data, i)
), forgotten AS (
	DELETE FROM job_error AS e
	 USING me
	 WHERE $19::boolean
	   AND e.job_id = me.id
	   AND e.item <> ALL ($16::text[])
), errors AS (
	INSERT INTO job_error (job_id, item, code, detail)
	SELECT DISTINCT ON (item) me.id, item, code, detail
	  FROM me, unnest($16::text[], $17::text[], $18::text[])
	       WITH ORDINALITY e (item, code, detail, i)
	 ORDER BY item, i DESC
	    ON CONFLICT (job_id, item) DO UPDATE
	   SET code = excluded.code, detail = excluded.detail,
	       at = excluded.at
)
SELECT me.n, pg_notify('job', me.id::text)
  FROM me
