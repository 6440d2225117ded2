-- Jobs that are asked for by the clock.  Whoever finds one due locks its row,
-- asks for the job and moves next_at in one transaction: no host leads.

CREATE TABLE schedule (
	id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind       text        NOT NULL,
	account_id bigint      REFERENCES account ON DELETE CASCADE,
	request    jsonb       NOT NULL DEFAULT '{}',
	-- Five fields, in the time that clocks show there; null: as configured.
	cron       text,
	time_zone  text        NOT NULL DEFAULT 'UTC'
	           CHECK (timezone(time_zone, timestamp '2000-01-01')
	               IS NOT NULL),
	-- What to do when nobody was there at the time: nothing, or run once.
	missed     text        NOT NULL DEFAULT 'once'
	           CHECK (missed IN ('skip', 'once')),
	-- Up to how much later it may run, each schedule by its own constant
	-- share of it; null: as configured.
	jitter     interval    CHECK (jitter >= interval '0'),
	enabled    boolean     NOT NULL DEFAULT true,

	-- -infinity: to be worked out; infinity: never again.
	next_at    timestamptz NOT NULL DEFAULT '-infinity',
	planned_by text,	-- what next_at was worked out from
	fired_at   timestamptz,
	job_id     uuid,	-- what that asked for
	UNIQUE (kind, account_id)
);

CREATE INDEX schedule_due ON schedule (next_at) WHERE enabled;

-- How much later than the clock says a schedule runs, in ms.  Neighbours are
-- spread over the whole of it.
CREATE FUNCTION schedule_delay_ms(s schedule, default_ms bigint)
RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
	SELECT (s.id * 2654435761) % (1 + coalesce(
	    (extract(epoch FROM s.jitter) * 1000)::bigint, default_ms))
$$;

CREATE FUNCTION schedule_plan(s schedule, default_cron text,
	default_ms bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT concat_ws('|', coalesce(s.cron, default_cron), s.time_zone,
	    schedule_delay_ms(s, default_ms))
$$;

-- An account that has been disabled by hand: no login is good for it, and
-- nothing runs for it.
ALTER TABLE account
	DROP CONSTRAINT account_state_check,
	ADD CONSTRAINT account_state_check
		CHECK (state IN ('active', 'refused', 'disabled'));
