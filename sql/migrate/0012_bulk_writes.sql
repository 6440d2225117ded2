-- Cheaper writing of many rows.

-- What a pass has read, a row for each batch instead of one for each id: an
-- index entry an id cost more than the comparison with the registry.
DROP TABLE sync_seen;
CREATE UNLOGGED TABLE sync_seen (
	job_id uuid     NOT NULL,
	pass   smallint NOT NULL,
	ids    text[]   NOT NULL
);
-- Its rows live for minutes: not worth compressing.
ALTER TABLE sync_seen ALTER ids SET STORAGE EXTERNAL;
CREATE INDEX sync_seen_job ON sync_seen (job_id, pass);

-- Links are found by program when they are written, and by business when they
-- are read.  The second index holds a key once for all programs of a business.
-- The business comes first: an index that begins with the account would also be
-- taken for a look-up by program while nobody has analyzed the account, and all
-- of it be read for each.
DROP INDEX program_business_program;
ALTER TABLE program_business
	DROP CONSTRAINT program_business_pkey,
	ADD PRIMARY KEY (account_id, program_id, business_id);
CREATE INDEX program_business_business
	ON program_business (business_id, account_id);

-- Room for a second version of every row of a page: when a sync changes all of
-- an account, none moves to another page and no index is written.
ALTER TABLE program SET (fillfactor = 50);
