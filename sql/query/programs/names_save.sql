-- What the partner said of some businesses: a name, none ($2 is NULL), or
-- nothing that counts ($4), which leaves all as it was.  Many accounts write
-- the same rows, hence sorted.  A new name makes another version of every
-- registry that shows it.
WITH input AS (
	SELECT t.*, clock_timestamp() AS at
	  FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
	       AS t (business_id, name, url, unanswered)
), renamed AS (
	SELECT i.business_id
	  FROM input i
	  LEFT JOIN business b USING (business_id)
	 WHERE i.name IS NOT NULL
	   AND i.name IS DISTINCT FROM b.name
), written AS (
	INSERT INTO business AS b (business_id, name, url, absent, fetched_at,
	    next_try_at)
	SELECT business_id, name, url, name IS NULL AND NOT unanswered,
	       CASE WHEN NOT unanswered THEN at END,
	       at + interval '1 ms' * CASE WHEN unanswered THEN $6::bigint
	           ELSE $5::bigint END
	  FROM input
	 ORDER BY business_id
	    ON CONFLICT (business_id) DO UPDATE
	   SET name = coalesce(excluded.name, b.name),
	       url = CASE WHEN excluded.name IS NULL THEN b.url
	           ELSE excluded.url END,
	       absent = CASE WHEN excluded.fetched_at IS NULL THEN b.absent
	           ELSE excluded.absent END,
	       fetched_at = coalesce(excluded.fetched_at, b.fetched_at),
	       next_try_at = excluded.next_try_at
	RETURNING b.business_id
), shown AS (
	SELECT a.id
	  FROM account a
	 WHERE a.id IN (
		SELECT c.account_id
		  FROM business_count c
		  JOIN renamed USING (business_id)
		 WHERE c.program_count > 0)
	 ORDER BY a.id
	   FOR NO KEY UPDATE
), version AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	  FROM shown
	 WHERE account.id = shown.id
)
SELECT count(*) AS written,
       (SELECT count(*) FROM renamed) AS renamed
  FROM written
