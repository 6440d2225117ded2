-- What businesses are called.  A name is the same for everybody who may read
-- it on the partner's public pages, so it is kept once and not per account,
-- whoever's login it was asked for with; nobody sees a business that none of
-- their own programs belongs to.

CREATE TABLE business (
	business_id text        PRIMARY KEY,
	-- NULL: not known.  Never the id, never taken back: neither a call
	-- that failed nor a partner that has forgotten it says that it is wrong.
	name        text        CHECK (name <> '' AND name <> business_id),
	url         text,
	-- The partner has answered, and had no name.
	absent      boolean     NOT NULL DEFAULT false,
	fetched_at  timestamptz,		-- when it last answered
	next_try_at timestamptz NOT NULL
) WITH (fillfactor = 85);

-- Whose lists show a name that has changed.
CREATE INDEX business_count_business ON business_count (business_id);

-- The partner gives this login no names; it is not asked before then.
ALTER TABLE account ADD COLUMN names_after timestamptz;

CREATE OR REPLACE VIEW business_label (business_id, name) AS
	SELECT business_id, name
	  FROM business
	 WHERE name IS NOT NULL;

-- A test sets lockstep.today for the database to see a day change.
CREATE OR REPLACE FUNCTION pacific_today() RETURNS date
LANGUAGE sql STABLE AS $$
	SELECT coalesce(
		nullif(current_setting('lockstep.today', true), '')::date,
		(statement_timestamp() AT TIME ZONE 'America/Los_Angeles')::date)
$$;
