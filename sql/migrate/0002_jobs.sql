-- Long work.  A job is claimed with a lease and a fencing number; whoever
-- writes for it locks this row first and proves the number, so that a late
-- worker writes nothing.

CREATE TABLE job (
	id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
	kind           text        NOT NULL,
	account_id     bigint      REFERENCES account ON DELETE CASCADE,
	state          text        NOT NULL DEFAULT 'queued'
	               CHECK (state IN ('queued', 'running', 'waiting', 'paused',
	                                'done', 'partial', 'failed', 'cancelled')),
	priority       smallint    NOT NULL DEFAULT 0,
	request        jsonb       NOT NULL DEFAULT '{}',
	created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	started_at     timestamptz,
	finished_at    timestamptz,

	-- Who has it, until when, under which number.
	holder         text,
	fence          bigint      NOT NULL DEFAULT 0,
	lease_until    timestamptz,
	claims         integer     NOT NULL DEFAULT 0,
	run_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
	waiting_reason text,

	-- Where it stands.  n is the number of its last event.
	n              integer     NOT NULL DEFAULT 0,
	checkpoint     jsonb       NOT NULL DEFAULT '{}',
	done           bigint      NOT NULL DEFAULT 0,
	total          bigint,
	added          bigint      NOT NULL DEFAULT 0,
	updated        bigint      NOT NULL DEFAULT 0,
	removed        bigint      NOT NULL DEFAULT 0,
	unchanged      bigint      NOT NULL DEFAULT 0,
	failed         bigint      NOT NULL DEFAULT 0,
	eta_at         timestamptz,
	partner_ms     bigint      NOT NULL DEFAULT 0,
	database_ms    bigint      NOT NULL DEFAULT 0,
	names_ms       bigint      NOT NULL DEFAULT 0,

	-- How it ended: the body of a plain POST's answer, and its status.
	status         smallint,
	answer         text
) WITH (fillfactor = 50);

-- One active job per kind and account: the second caller joins the first.
CREATE UNIQUE INDEX job_active ON job (kind, account_id)
	WHERE state IN ('queued', 'running', 'waiting', 'paused');
CREATE INDEX job_due ON job (run_at)
	WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX job_account ON job (account_id, created_at DESC, id);
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;

-- What a job told those who watch it, in its own numbering.  data is the
-- exact text that a stream sends.
CREATE TABLE job_event (
	job_id uuid    NOT NULL REFERENCES job ON DELETE CASCADE,
	n      integer NOT NULL,
	data   text    NOT NULL,
	at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (job_id, n)
);

-- What could not be done, item by item.
CREATE TABLE job_error (
	job_id uuid    NOT NULL REFERENCES job ON DELETE CASCADE,
	item   text    NOT NULL,
	code   text    NOT NULL,
	detail text    NOT NULL,
	at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (job_id, item)
);

CREATE FUNCTION iso_time(t timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- A share in percent: rounded, and 100 only when all is done.
CREATE FUNCTION percentage(done bigint, total bigint) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN total IS NULL THEN NULL
		WHEN done >= total THEN 100
		ELSE least(99, round(100.0 * done / total))::integer
	END
$$;

-- The job as the API shows it.  One definition for the list, the single job
-- and the answer of a wait that took too long.
CREATE FUNCTION job_json(j job) RETURNS json
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
		       iso_time(j.eta_at) AS eta_at,
		       CASE WHEN j.state = 'waiting' THEN iso_time(j.run_at)
		       END AS waiting_until,
		       j.waiting_reason,
		       (SELECT coalesce(array_to_json(
				array_agg(row_to_json(e))), '[]') FROM (
				SELECT item, code, detail
				  FROM job_error
				 WHERE job_id = j.id
				 ORDER BY at, item
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
