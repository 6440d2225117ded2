-- Which programs of a batch the registry lacks or holds otherwise, by the
-- hash kept beside each row, so that an unchanged one is not even sent; and
-- notes that this pass has seen them all.  One that had been retired is new
-- again: it was in no count.
WITH noted AS (
	INSERT INTO sync_seen (job_id, pass, ids)
	VALUES ($2::uuid, $3::smallint, $4::text[])
)
SELECT i.program_id,
       p.program_id IS NOT NULL AS is_held,
       p.program_id IS NULL OR p.retired_at IS NOT NULL AS is_new
  FROM (SELECT unnest($4::text[]) AS program_id,
               unnest($5::bytea[]) AS row_hash) AS i
  LEFT JOIN LATERAL (
	-- By its key (OFFSET 0), not by reading all of the account.
	SELECT program_id, row_hash, retired_at
	  FROM program
	 WHERE account_id = $1::bigint
	   AND program_id = i.program_id
	OFFSET 0) p ON true
 WHERE p.program_id IS NULL
    OR p.row_hash <> i.row_hash
    OR p.retired_at IS NOT NULL
