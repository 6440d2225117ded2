-- The sellers of an operator as the API shows them; $2: this one alone, or NULL
-- for all.  $3: how long before its end, in ms, a token is warned about.
SELECT row_to_json(shown)::text AS body
  FROM (
	SELECT s.account_id AS id,
	       s.name,
	       s.token_kind AS "tokenKind",
	       CASE WHEN a.state <> 'active' THEN a.state
	            WHEN s.token_expires_at <= clock_timestamp() THEN 'expired'
	            ELSE 'active' END AS "tokenState",
	       iso_time(s.token_expires_at) AS "tokenExpiresAt",
	       coalesce(s.token_expires_at < clock_timestamp()
	           + $3::bigint * interval '1 ms', false) AS "tokenExpiresSoon",
	       s.time_zone AS "timeZone",
	       s.all_products AS "allProducts",
	       s.jam,
	       p.products,
	       p.failed AS "failedProducts",
	       iso_time(p.newest) AS "lastSyncAt",
	       iso_time(p.oldest) AS "oldestSyncAt",
	       CASE WHEN s.trouble IS NOT NULL THEN json_build_object(
	           'code', s.trouble, 'since', iso_time(s.trouble_since))
	       END AS trouble,
	       (SELECT j.id
	          FROM job j
	         WHERE j.account_id = s.account_id
	           AND j.kind = 'analytics.sync'
	           AND j.state IN ('queued', 'running', 'waiting', 'paused')
	       ) AS "taskId",
	       (SELECT iso_time(min(c.next_at))
	          FROM schedule c
	         WHERE c.account_id = s.account_id
	           AND c.enabled
	           AND a.state = 'active'
	           AND isfinite(c.next_at)) AS "nextRunAt",
	       iso_time(s.created_at) AS "createdAt"
	  FROM seller s
	  JOIN account a ON a.id = s.account_id
	 CROSS JOIN LATERAL (
	       SELECT count(*) AS products,
	              count(*) FILTER (WHERE sync_status = 'error') AS failed,
	              max(last_sync_at) AS newest,
	              min(last_sync_at) AS oldest
	         FROM product
	        WHERE account_id = s.account_id) p
	 WHERE s.operator = $1
	   AND ($2::bigint IS NULL OR s.account_id = $2::bigint)
	 ORDER BY s.name, s.account_id
) shown
