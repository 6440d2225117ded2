-- A batch of pages into the registry: rows that changed, their links, the
-- kept counts, and which ids the pass has seen.  One statement, inside the
-- job's fence.  Answers per page what came of it.
WITH input AS (
	-- A program that moved between pages of one batch counts once.
	SELECT DISTINCT ON (program_id) *
	  FROM unnest($4::int4[], $5::text[], $6::text[], $7::text[],
	              $8::text[], $9::text[], $10::text[], $11::date[],
	              $12::date[], $13::bytea[])
	       AS t (page, program_id, yelp_business_id, partner_business_id,
	             program_type, program_status, program_pause_status,
	             start_date, end_date, row_hash)
	 ORDER BY program_id, page DESC
), link AS (
	SELECT DISTINCT program_id, business_id
	  FROM unnest($14::text[], $15::text[]) AS t (program_id, business_id)
), written AS (
	INSERT INTO program AS p (account_id, program_id, yelp_business_id,
	    partner_business_id, program_type, program_status,
	    program_pause_status, start_date, end_date, row_hash)
	SELECT $1::bigint, program_id, yelp_business_id, partner_business_id,
	       program_type, program_status, program_pause_status, start_date,
	       end_date, row_hash
	  FROM input
	 ORDER BY program_id
	    ON CONFLICT (account_id, program_id) DO UPDATE
	   SET yelp_business_id = excluded.yelp_business_id,
	       partner_business_id = excluded.partner_business_id,
	       program_type = excluded.program_type,
	       program_status = excluded.program_status,
	       program_pause_status = excluded.program_pause_status,
	       start_date = excluded.start_date,
	       end_date = excluded.end_date,
	       row_hash = excluded.row_hash,
	       retired_at = NULL,
	       updated_at = clock_timestamp()
	 WHERE p.row_hash <> excluded.row_hash
	    OR p.retired_at IS NOT NULL
	RETURNING p.program_id, (p.xmax = 0) AS is_new
), unlinked AS (
	DELETE FROM program_business AS b
	 USING written w
	 WHERE NOT w.is_new
	   AND b.account_id = $1::bigint
	   AND b.program_id = w.program_id
	   AND NOT EXISTS (
		SELECT FROM link l
		 WHERE l.program_id = b.program_id
		   AND l.business_id = b.business_id)
	RETURNING b.business_id
), linked AS (
	INSERT INTO program_business (account_id, business_id, program_id)
	SELECT $1::bigint, l.business_id, l.program_id
	  FROM link l
	  JOIN written w USING (program_id)
	 ORDER BY l.business_id, l.program_id
	    ON CONFLICT DO NOTHING
	RETURNING business_id
), counted AS (
	INSERT INTO business_count AS c (account_id, business_id,
	    program_count)
	SELECT $1::bigint, business_id, sum(change)
	  FROM (SELECT business_id, 1 AS change FROM linked
	        UNION ALL
	        SELECT business_id, -1 FROM unlinked) AS change
	 GROUP BY business_id
	HAVING sum(change) <> 0
	 ORDER BY business_id
	    ON CONFLICT (account_id, business_id) DO UPDATE
	   SET program_count = c.program_count + excluded.program_count
), version AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
	   AND EXISTS (SELECT FROM written)
), seen AS (
	INSERT INTO sync_seen (job_id, pass, program_id)
	SELECT $2::uuid, $3::smallint, program_id
	  FROM input
	 ORDER BY program_id
	    ON CONFLICT DO NOTHING
	RETURNING program_id
)
SELECT i.page,
       count(s.program_id) AS seen,
       count(*) FILTER (WHERE w.is_new) AS added,
       count(*) FILTER (WHERE NOT w.is_new) AS updated
  FROM input i
  LEFT JOIN seen s USING (program_id)
  LEFT JOIN written w USING (program_id)
 GROUP BY i.page
