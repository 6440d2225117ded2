-- That the API gives search texts for so many days at most may have been a whim
-- of one night: since when it is believed.
ALTER TABLE seller
	ADD COLUMN texts_days_at timestamptz;

UPDATE seller
   SET texts_days_at = clock_timestamp()
 WHERE texts_days IS NOT NULL;

-- As before, but what is wrong with a job as a whole (job, list, texts) comes
-- before what is wrong with one of its things: it is written last; and a run says
-- its batches, which its events do only for as long as these are kept.
CREATE OR REPLACE FUNCTION job_json(j job) RETURNS json
LANGUAGE sql STABLE AS $$
	SELECT row_to_json(shown) FROM (
		SELECT j.id,
		       j.kind,
		       j.state,
		       iso_time(j.created_at) AS created_at,
		       iso_time(j.started_at) AS started_at,
		       iso_time(j.finished_at) AS finished_at,
		       (SELECT row_to_json(p) FROM (
				SELECT j.done, j.total,
				       percentage(j.done, j.total)) p
		       ) AS progress,
		       (SELECT row_to_json(c) FROM (
				SELECT j.added, j.updated, j.removed,
				       j.unchanged, j.failed) c
		       ) AS counts,
		       (SELECT row_to_json(c) FROM (
				SELECT j.calls_made AS made,
				       j.calls_left AS left) c
		         WHERE j.calls_made IS NOT NULL
		       ) AS calls,
		       (SELECT row_to_json(b) FROM (
				SELECT (j.done + size - 1) / size AS done,
				       (j.total + size - 1) / size AS total
				  FROM (SELECT (j.checkpoint->>'batch')::bigint
				          AS size) of
				 WHERE size > 0) b
		       ) AS batches,
		       (SELECT row_to_json(s) FROM (
				SELECT account_id AS id, name
				  FROM seller
				 WHERE account_id = j.account_id) s
		       ) AS seller,
		       iso_time(j.eta_at) AS eta_at,
		       CASE WHEN j.state = 'waiting' THEN iso_time(j.run_at)
		       END AS waiting_until,
		       j.waiting_reason,
		       (SELECT coalesce(array_to_json(
				array_agg(row_to_json(e))), '[]') FROM (
				SELECT item, code, detail
				  FROM job_error
				 WHERE job_id = j.id
				 ORDER BY item ~ '^[a-z]+$' DESC, at,
				       item
				 LIMIT 100) e
		       ) AS errors,
		       (SELECT row_to_json(t) FROM (
				SELECT j.partner_ms AS partner,
				       j.database_ms AS database,
				       j.names_ms AS names,
				       (extract(epoch FROM coalesce(
					j.finished_at, clock_timestamp())
					- j.started_at) * 1000)::bigint
					AS total) t
		       ) AS timing_ms
	) shown
$$;
