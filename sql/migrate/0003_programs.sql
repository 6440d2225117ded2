-- The registry of programs.  One writer an account (its sync job, fenced), so
-- that bulk writes need no foreign keys: each would cost a look-up per row.

CREATE TABLE program (
	account_id           bigint      NOT NULL,
	program_id           text        NOT NULL,
	yelp_business_id     text,
	partner_business_id  text,
	program_type         text,
	program_status       text,
	program_pause_status text,
	start_date           date,
	end_date             date,
	-- The user's own; a sync never touches it.
	custom_name          text        CHECK (length(custom_name) <= 255),
	-- Of all that the partner sends, so that an unchanged row is not written.
	row_hash             bytea       NOT NULL,
	retired_at           timestamptz,
	created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (account_id, program_id)
) WITH (fillfactor = 85);

-- Every business of a program, not only the first.
CREATE TABLE program_business (
	account_id  bigint NOT NULL,
	business_id text   NOT NULL,
	program_id  text   NOT NULL,
	PRIMARY KEY (account_id, business_id, program_id)
);

CREATE INDEX program_business_program
	ON program_business (account_id, program_id);

-- Programs per business, kept in the transaction that writes the links.
CREATE TABLE business_count (
	account_id    bigint NOT NULL,
	business_id   text   NOT NULL,
	program_count bigint NOT NULL,
	PRIMARY KEY (account_id, business_id)
) WITH (fillfactor = 70);

-- Ids that a running pass has read.  Unlogged: after a crash of the database
-- the pass starts again, and an unchanged row is never written to mark it.
CREATE UNLOGGED TABLE sync_seen (
	job_id     uuid     NOT NULL,
	pass       smallint NOT NULL,
	program_id text     NOT NULL,
	PRIMARY KEY (job_id, pass, program_id)
);

-- The status that people see, partner contract section 5: derived when read,
-- with the date in Pacific time.  A null end is open.
CREATE FUNCTION program_state(pause text, status text, start_date date,
	end_date date, today date) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN pause = 'PAUSED' THEN 'PAUSED'
		WHEN start_date > today THEN 'FUTURE'
		WHEN end_date < today AND end_date <> '9999-12-31' THEN 'PAST'
		WHEN status = 'ACTIVE' AND start_date <= today THEN 'CURRENT'
		ELSE 'INACTIVE'
	END
$$;

CREATE FUNCTION pacific_today() RETURNS date
LANGUAGE sql STABLE AS $$
	SELECT (clock_timestamp() AT TIME ZONE 'America/Los_Angeles')::date
$$;
