-- Events and errors are only ever written in the statement that has locked their
-- job's row, so a foreign key would look that row up again for each of them: of a
-- page of a sync half of what saving it costs.  What goes with a job goes by one
-- trigger a statement.
--
-- Tables in the order in which a service that is running takes them.
LOCK TABLE job, job_event, job_error IN ACCESS EXCLUSIVE MODE;

ALTER TABLE job_event DROP CONSTRAINT job_event_job_id_fkey;
ALTER TABLE job_error DROP CONSTRAINT job_error_job_id_fkey;

CREATE FUNCTION job_forgotten() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM job_event e USING gone WHERE e.job_id = gone.id;
	DELETE FROM job_error e USING gone WHERE e.job_id = gone.id;
	RETURN NULL;
END
$$;

CREATE TRIGGER job_forgotten AFTER DELETE ON job
	REFERENCING OLD TABLE AS gone
	FOR EACH STATEMENT EXECUTE FUNCTION job_forgotten();
