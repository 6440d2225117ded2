-- Which programs of a batch the registry lacks or holds otherwise: by the hash
-- kept beside each row, so that an unchanged one is not even sent; and notes that
-- this pass has seen them all.  Each is its place in the batch, from 1, times 16,
-- and how it differs, by the bits of store.c.  One that had been retired is new
-- again: it was in no count.  The first 8 bytes of a hash are over the
-- businesses; what had been retired has lost its links.
WITH noted AS (
	INSERT INTO sync_seen (job_id, pass, ids)
	VALUES ($2::uuid, $3::smallint, $4::text[])
)
SELECT array_agg(n * 16 + CASE
       WHEN had_hash IS NULL THEN 2 + 4 + 8
       WHEN was_retired THEN 1 + 4 + 8
       WHEN substr(had_hash, 1, 8) <> substr(row_hash, 1, 8) THEN 1 + 8
       ELSE 1
       END) AS differing
  FROM (
	-- FULL JOIN and OFFSET 0: hashed, even when nobody has analyzed the
	-- account and the planner believes that it has one row.
	SELECT i.n, i.row_hash,
	       p.row_hash AS had_hash,
	       p.retired_at IS NOT NULL AS was_retired
	  FROM (SELECT generate_subscripts($4::text[], 1) AS n,
	               unnest($4::text[]) AS program_id,
	               unnest($5::bytea[]) AS row_hash) AS i
	  FULL JOIN (
		SELECT program_id, row_hash, retired_at
		  FROM program
		 WHERE account_id = $1::bigint
		   AND program_id = ANY ($4::text[])) AS p
	    ON p.program_id = i.program_id
	OFFSET 0) AS seen
 WHERE was_retired
    OR had_hash IS DISTINCT FROM row_hash
