-- What may still be asked of a partner: one row for each budget, shared by
-- every process on every host.  tat says it all (GCRA, the theoretical arrival
-- time of the next call): the budget is full when it lies in the past, and
-- every call taken moves it on by one interval of the rate.

CREATE TABLE rate_bucket (
	api           text        NOT NULL,
	-- Keyed hash of the user name: a login takes from its budget before
	-- it is known to have an account.
	account       bytea       NOT NULL,
	method        text        NOT NULL,
	tat           timestamptz NOT NULL,
	-- The partner said: nothing before then.
	blocked_until timestamptz NOT NULL DEFAULT '-infinity',
	-- The last taking, for whoever has just made it.
	taken_at      timestamptz NOT NULL,
	granted       bigint      NOT NULL,
	PRIMARY KEY (api, account, method)
) WITH (fillfactor = 10);

-- How many of n calls may start within wait_ms from a time on.  burst is how
-- many may come at once when tat lies in the past.
CREATE FUNCTION rate_granted(n bigint, tat timestamptz,
	blocked_until timestamptz, at timestamptz, rate bigint, burst bigint,
	wait_ms bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN blocked_until > at + wait_ms * interval '1 ms' THEN 0
		ELSE greatest(0, least(n, burst + floor(rate * (
			wait_ms / 1000.0
			- extract(epoch FROM greatest(tat - at, '0'))))))
	END::bigint
$$;

-- Milliseconds from one time to another, rounded up, never below 0.
CREATE FUNCTION ms_until(at timestamptz, target timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN target <= at THEN 0
		ELSE ceil(extract(epoch FROM target - at) * 1000)
	END::bigint
$$;
