-- A row that a crash of the database empties together with all unlogged tables,
-- and that a clean restart leaves: who finds the mark that he found before may
-- trust what he has put into them since.  Neither a connection that was lost
-- nor pg_postmaster_start_time() tells: behind a pool a connection outlives a
-- crash, and PostgreSQL comes back from one under the same postmaster.
CREATE UNLOGGED TABLE crash_mark (
	mark uuid    NOT NULL DEFAULT gen_random_uuid(),
	one  boolean PRIMARY KEY DEFAULT true CHECK (one)
);

-- The mark, made when there is none.  Statement by statement, so that it finds
-- the one that somebody else has made just now.
CREATE FUNCTION crash_mark_now() RETURNS uuid
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	found_mark uuid;
BEGIN
	SELECT mark INTO found_mark FROM crash_mark WHERE one;
	IF NOT FOUND THEN
		INSERT INTO crash_mark DEFAULT VALUES ON CONFLICT DO NOTHING;
		SELECT mark INTO STRICT found_mark FROM crash_mark WHERE one;
	END IF;
	RETURN found_mark;
END
$$;
