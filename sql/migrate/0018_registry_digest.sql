-- Digests of the pages that the last complete reading of an account's list has
-- shown, 16 bytes each: a page that comes again as it was needs no comparison
-- with the registry, as long as that is of the same version.  programs: how many
-- it had, by which it is seen that somebody has taken some away by hand.
CREATE TABLE registry_digest (
	account_id bigint PRIMARY KEY REFERENCES account ON DELETE CASCADE,
	version    bigint NOT NULL,
	pages      bytea  NOT NULL,
	programs   bigint NOT NULL
);
