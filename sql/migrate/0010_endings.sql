-- However a job ends, and whoever ends it (its worker, a client, a worker that
-- gives it up), what it wrote is announced, and what its passes saw is
-- forgotten.
DROP TRIGGER job_cancelled ON job;
DROP FUNCTION job_cancelled();

CREATE FUNCTION job_ended() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM sync_seen WHERE job_id = NEW.id;
	IF NEW.kind = 'programs.sync'
	    AND NEW.added + NEW.updated + NEW.removed > 0 THEN
		INSERT INTO event (account_id, topic, data)
		VALUES (NEW.account_id, 'programs.synced',
			format('{"type":"programs.synced","added":%s,'
			    '"updated":%s,"removed":%s,"job":"%s"}', NEW.added,
			    NEW.updated, NEW.removed, NEW.id));
	END IF;
	RETURN NULL;
END
$$;

CREATE TRIGGER job_ended AFTER UPDATE OF state ON job
	FOR EACH ROW
	WHEN (NEW.state IN ('done', 'partial', 'failed', 'cancelled')
	    AND NEW.state IS DISTINCT FROM OLD.state)
	EXECUTE FUNCTION job_ended();

-- What a clock shows in a zone; null when there is no such zone (any more), so
-- that one such schedule does not hold up the others.
CREATE FUNCTION shown_in(at timestamptz, zone text) RETURNS timestamp
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN at AT TIME ZONE zone;
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN NULL;
END
$$;

-- Only what is written anew is checked: a zone that has gone must not make every
-- change of its row fail.
ALTER TABLE schedule DROP CONSTRAINT schedule_time_zone_check;

CREATE FUNCTION schedule_check_zone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	IF shown_in('epoch', NEW.time_zone) IS NULL THEN
		RAISE invalid_parameter_value
		    USING MESSAGE = format('there is no time zone %L',
		        NEW.time_zone);
	END IF;
	RETURN NEW;
END
$$;

CREATE TRIGGER schedule_check_zone BEFORE INSERT OR UPDATE OF time_zone
	ON schedule
	FOR EACH ROW EXECUTE FUNCTION schedule_check_zone();

-- Making and dropping partitions are two: a reader that holds up the one must
-- not hold up the other.
DROP FUNCTION event_tend(interval);

-- Makes the partitions of today and the two days after it.  Called now and
-- then by whoever has time; it never waits long for a lock, during which all
-- who write events would wait behind it: the next call does as well.
CREATE FUNCTION event_make(OUT made integer)
LANGUAGE plpgsql AS $$
DECLARE
	today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
	day   date;
BEGIN
	made := 0;
	IF NOT pg_try_advisory_xact_lock(7305793107460) THEN
		RETURN;
	END IF;
	PERFORM set_config('lock_timeout', '200ms', true);
	FOR day IN SELECT today + i FROM generate_series(0, 2) i LOOP
		CONTINUE WHEN to_regclass(event_partition(day)) IS NOT NULL;
		PERFORM event_partition_make(day);
		made := made + 1;
	END LOOP;
END
$$;

-- Drops the partitions whose last event is older than keep, likewise.
CREATE FUNCTION event_trim(keep interval, OUT dropped integer)
LANGUAGE plpgsql AS $$
DECLARE
	last  bigint;
	name  text;
BEGIN
	dropped := 0;
	IF NOT pg_try_advisory_xact_lock(7305793107460) THEN
		RETURN;
	END IF;
	PERFORM set_config('lock_timeout', '200ms', true);
	FOR name IN
		SELECT c.relname
		  FROM pg_inherits i
		  JOIN pg_class c ON c.oid = i.inhrelid
		 WHERE i.inhparent = 'event'::regclass
		   AND c.relname ~ '^event_\d{8}$'
		   AND (to_date(right(c.relname, 8), 'YYYYMMDD') + 1)::timestamp
		       AT TIME ZONE 'UTC' <= clock_timestamp() - keep
		 ORDER BY c.relname
	LOOP
		EXECUTE format('SELECT max(seq) FROM %I', name) INTO last;
		UPDATE event_state SET trimmed = greatest(trimmed, last);
		EXECUTE format('DROP TABLE %I', name);
		dropped := dropped + 1;
	END LOOP;
	WITH gone AS (
		DELETE FROM event_default
		 WHERE at <= clock_timestamp() - keep
		RETURNING seq
	)
	UPDATE event_state
	   SET trimmed = greatest(trimmed, (SELECT max(seq) FROM gone))
	 WHERE EXISTS (SELECT FROM gone);
END
$$;
