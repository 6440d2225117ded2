-- However a run ends, no product waits for search texts any more: who cancels
-- it does not know what it was about.
CREATE OR REPLACE FUNCTION job_ended() RETURNS trigger
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
	IF NEW.kind = 'analytics.sync' THEN
		UPDATE product
		   SET sync_error_code = 'texts_missed',
		       sync_error = 'The run ended before the search texts '
		           'came'
		 WHERE account_id = NEW.account_id
		   AND sync_error_code = 'texts_pending';
		IF FOUND THEN
			UPDATE account
			   SET registry_version = registry_version + 1
			 WHERE id = NEW.account_id;
		END IF;
	END IF;
	RETURN NULL;
END
$$;

-- Those of runs that have ended already.
UPDATE product AS p
   SET sync_error_code = 'texts_missed',
       sync_error = 'The run ended before the search texts came'
 WHERE sync_error_code = 'texts_pending'
   AND NOT EXISTS (
	SELECT
	  FROM job
	 WHERE account_id = p.account_id
	   AND kind = 'analytics.sync'
	   AND state IN ('queued', 'running', 'waiting', 'paused'));

-- Some say that search texts are given for a week at most: of which days they
-- are, where that is not all of the period, and for how many the API was last
-- found to give them.
ALTER TABLE product_analytics
	ADD COLUMN texts_start date;	-- null: as the period's

ALTER TABLE seller
	ADD COLUMN texts_days smallint;	-- null: the whole period's

-- How grave a trouble the operator has been told of since all was well.
ALTER TABLE seller
	ADD COLUMN trouble_told smallint NOT NULL DEFAULT 0;

-- Times that a kind of job does not measure are not zero.
ALTER TABLE job
	ALTER COLUMN database_ms DROP NOT NULL,
	ALTER COLUMN names_ms DROP NOT NULL;

UPDATE job
   SET database_ms = NULL,
       names_ms = NULL
 WHERE kind = 'analytics.sync';
