-- Partner logins.  The user name is opaque bytes; what the partner has said
-- of the login is remembered by login_hash until verified_at + auth.lifetime.

CREATE TABLE account (
	id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_name        bytea       NOT NULL UNIQUE,
	login_hash       bytea       NOT NULL,
	sealed_password  bytea       NOT NULL,
	state            text        NOT NULL DEFAULT 'active'
	                 CHECK (state IN ('active', 'refused')),
	verified_at      timestamptz NOT NULL,
	-- What the partner said its list holds when the login was last checked.
	partner_total    bigint,
	-- Moves with every change to the account's rows: caches are keyed by it.
	registry_version bigint      NOT NULL DEFAULT 0,
	synced_at        timestamptz,
	created_at       timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Logins that the partner refused a moment ago.  Hashes only; unlogged,
-- because forgetting them in a crash costs one more question.
CREATE UNLOGGED TABLE login_refusal (
	id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	login_hash bytea       NOT NULL,
	name_hash  bytea       NOT NULL,
	address    text        NOT NULL,
	at         timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX login_refusal_at ON login_refusal (at);
CREATE INDEX login_refusal_name ON login_refusal (name_hash, at);
CREATE INDEX login_refusal_address ON login_refusal (address, at);
