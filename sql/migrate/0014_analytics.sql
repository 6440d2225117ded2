-- Sellers and the analytics of their products.  A seller is an account of
-- another API: jobs, schedules, events and budgets go by the account, whatever
-- it signs in at.
ALTER TABLE account
	ADD COLUMN api text NOT NULL DEFAULT 'partner'
	           CHECK (api IN ('partner', 'wb'));

-- user_name is ":wb:" and a UUID, which no login can be: a Basic user name ends
-- at its first colon.  login_hash is of the token, sealed_password is the token.
CREATE TABLE seller (
	account_id       bigint      PRIMARY KEY
	                 REFERENCES account ON DELETE CASCADE,
	operator         text        NOT NULL CHECK (operator <> ''),
	name             text        NOT NULL
	                 CHECK (length(name) BETWEEN 1 AND 255),
	-- Whose limits its calls count against: a hash of the seller that the
	-- token names, so that two tokens of one seller share them.
	limit_key        bytea       NOT NULL,
	token_kind       text        NOT NULL DEFAULT 'unknown'
	                 CHECK (token_kind IN ('unknown', 'personal', 'service',
	                                       'base', 'base_secret', 'test')),
	token_expires_at timestamptz,
	token_warned     boolean     NOT NULL DEFAULT false,
	time_zone        text        NOT NULL DEFAULT 'Europe/Moscow',
	-- All that the API lists, not only those that were added.
	all_products     boolean     NOT NULL DEFAULT false,
	jam              boolean,	-- null: not known
	-- What its last run ended in, when that was bad.
	trouble          text,
	trouble_since    timestamptz,
	created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
	UNIQUE (operator, name)
);

-- Where a product stands: the last good data, and the last try.
CREATE TABLE product (
	account_id      bigint      NOT NULL REFERENCES seller ON DELETE CASCADE,
	nm_id           bigint      NOT NULL CHECK (nm_id > 0),
	title           text,
	vendor_code     text,
	brand           text,
	subject         text,
	added_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
	last_sync_at    timestamptz,
	last_attempt_at timestamptz,
	-- success: figures and search texts; partial: figures alone; error: the
	-- last try brought no figures, what is there is older.
	sync_status     text
	                CHECK (sync_status IN ('success', 'partial', 'error')),
	sync_error_code text,
	sync_error      text,
	PRIMARY KEY (account_id, nm_id)
) WITH (fillfactor = 70);

-- One row for each product and period, only ever of what the API sent; NULL is
-- "no data", never zero.  The figures and the texts come separately.
CREATE TABLE product_analytics (
	account_id      bigint        NOT NULL,
	nm_id           bigint        NOT NULL,
	period_end      date          NOT NULL,
	period_start    date          NOT NULL CHECK (period_start <= period_end),
	funnel_at       timestamptz,
	currency        text,
	views           bigint,
	add_to_cart     bigint,
	orders          bigint,
	revenue         numeric(14,2),
	buyouts         bigint,
	buyout_sum      numeric(14,2),
	cancels         bigint,
	cancel_sum      numeric(14,2),
	avg_price       numeric(14,2),
	add_to_wishlist bigint,
	texts_at        timestamptz,
	queries         jsonb,
	data_source     text          NOT NULL DEFAULT 'wb_api'
	                CHECK (data_source = 'wb_api'),
	-- What follows from the figures; NULL where nothing can be divided by.
	units           bigint        GENERATED ALWAYS AS (orders) STORED,
	ctr             numeric(14,2) GENERATED ALWAYS AS
	                (round(add_to_cart * 100.0 / nullif(views, 0), 2)) STORED,
	conversion_rate numeric(14,2) GENERATED ALWAYS AS
	                (round(orders * 100.0 / nullif(add_to_cart, 0), 2)) STORED,
	avg_order_value numeric(14,2) GENERATED ALWAYS AS
	                (round(revenue / nullif(orders, 0), 2)) STORED,
	total_queries   integer       GENERATED ALWAYS AS
	                (jsonb_array_length(queries)) STORED,
	PRIMARY KEY (account_id, nm_id, period_end, period_start),
	FOREIGN KEY (account_id, nm_id) REFERENCES product ON DELETE CASCADE
) WITH (fillfactor = 70);

-- Calls of a job: made, and those that it still plans; null: not counted.
ALTER TABLE job
	ADD COLUMN calls_made bigint,
	ADD COLUMN calls_left bigint;

CREATE OR REPLACE FUNCTION job_json(j job) RETURNS json
LANGUAGE sql STABLE AS $$
	SELECT row_to_json(shown) FROM (
		SELECT j.id,
		       j.kind,
		       j.state,
		       iso_time(j.created_at) AS created_at,
		       iso_time(j.started_at) AS started_at,
		       iso_time(j.finished_at) AS finished_at,
		       (SELECT row_to_json(p) FROM (
				SELECT j.done, j.total,
				       percentage(j.done, j.total)) p
		       ) AS progress,
		       (SELECT row_to_json(c) FROM (
				SELECT j.added, j.updated, j.removed,
				       j.unchanged, j.failed) c
		       ) AS counts,
		       (SELECT row_to_json(c) FROM (
				SELECT j.calls_made AS made,
				       j.calls_left AS left) c
		         WHERE j.calls_made IS NOT NULL
		       ) AS calls,
		       (SELECT row_to_json(s) FROM (
				SELECT account_id AS id, name
				  FROM seller
				 WHERE account_id = j.account_id) s
		       ) AS seller,
		       iso_time(j.eta_at) AS eta_at,
		       CASE WHEN j.state = 'waiting' THEN iso_time(j.run_at)
		       END AS waiting_until,
		       j.waiting_reason,
		       (SELECT coalesce(array_to_json(
				array_agg(row_to_json(e))), '[]') FROM (
				SELECT item, code, detail
				  FROM job_error
				 WHERE job_id = j.id
				 ORDER BY at, item
				 LIMIT 100) e
		       ) AS errors,
		       (SELECT row_to_json(t) FROM (
				SELECT j.partner_ms AS partner,
				       j.database_ms AS database,
				       j.names_ms AS names,
				       (extract(epoch FROM coalesce(
					j.finished_at, clock_timestamp())
					- j.started_at) * 1000)::bigint
					AS total) t
		       ) AS timing_ms
	) shown
$$;

-- Budgets of one call in half an hour as well as of thousands a second: so many
-- calls in so many milliseconds.
DROP FUNCTION rate_granted(bigint, timestamptz, timestamptz, timestamptz,
	bigint, bigint, bigint);

CREATE FUNCTION rate_granted(n bigint, tat timestamptz,
	blocked_until timestamptz, at timestamptz, calls bigint, burst bigint,
	wait_ms bigint, in_ms bigint DEFAULT 1000) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN blocked_until > at + wait_ms * interval '1 ms' THEN 0
		ELSE greatest(0, least(n, burst + floor(calls * (wait_ms
			- extract(epoch FROM greatest(tat - at, '0')) * 1000)
			/ in_ms)))
	END::bigint
$$;

-- Whether trying again may bring more: no Jam subscription is no failure.
CREATE FUNCTION product_failed(p product) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
	SELECT p.sync_status IS DISTINCT FROM 'success'
	    AND p.sync_error_code IS DISTINCT FROM 'no_jam'
$$;

-- A seller's products with their newest figures: what was last good, however the
-- last try ended.  One of them, or all (NULL).
CREATE FUNCTION product_current(of_account bigint, one_id bigint)
RETURNS TABLE (nm_id bigint, title text, vendor_code text, brand text,
	subject text, last_sync_at timestamptz, last_attempt_at timestamptz,
	sync_status text, sync_error_code text, sync_error text,
	figures product_analytics)
LANGUAGE sql STABLE AS $$
	SELECT p.nm_id, p.title, p.vendor_code, p.brand, p.subject,
	       p.last_sync_at, p.last_attempt_at, p.sync_status,
	       p.sync_error_code, p.sync_error, f.figures
	  FROM product p
	  LEFT JOIN LATERAL (
	       SELECT a AS figures
	         FROM product_analytics a
	        WHERE a.account_id = p.account_id
	          AND a.nm_id = p.nm_id
	          AND a.funnel_at IS NOT NULL
	        ORDER BY a.period_end DESC, a.period_start DESC
	        LIMIT 1) f ON true
	 WHERE p.account_id = of_account
	   AND (one_id IS NULL OR p.nm_id = one_id)
$$;
