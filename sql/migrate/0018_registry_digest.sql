-- Digests of the pages that the last complete reading of an account's list has
-- shown, 16 bytes each, sorted: a page that comes again as it was needs no
-- comparison with the registry, as long as that is of the same version.  programs:
-- how many it had, by which it is seen that somebody has taken some away by hand;
-- compared_at: when all was last compared, which is done once a day, as other
-- changes by hand are not seen otherwise.
CREATE TABLE registry_digest (
	account_id  bigint      PRIMARY KEY REFERENCES account ON DELETE CASCADE,
	version     bigint      NOT NULL,
	pages       bytea       NOT NULL,
	programs    bigint      NOT NULL,
	compared_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
