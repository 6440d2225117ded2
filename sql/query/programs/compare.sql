-- Which programs of a batch the registry lacks or holds otherwise, by the
-- hash kept beside each row, so that an unchanged one is not even sent; and
-- which of them this pass sees for the first time.  One that had been retired
-- is new again: it was in no count.
WITH input AS (
	SELECT *
	  FROM unnest($4::text[], $5::bytea[]) AS t (program_id, row_hash)
), seen AS (
	INSERT INTO sync_seen (job_id, pass, program_id)
	SELECT $2::uuid, $3::smallint, program_id
	  FROM input
	 ORDER BY program_id
	    ON CONFLICT DO NOTHING
	RETURNING program_id
)
SELECT i.program_id,
       s.program_id IS NOT NULL AS fresh,
       p.program_id IS NULL OR p.retired_at IS NOT NULL AS is_new,
       p.program_id IS NULL OR p.row_hash <> i.row_hash
           OR p.retired_at IS NOT NULL AS differs
  FROM input i
  LEFT JOIN seen s USING (program_id)
  LEFT JOIN program p
    ON p.account_id = $1::bigint AND p.program_id = i.program_id
 WHERE s.program_id IS NULL
    OR p.program_id IS NULL
    OR p.row_hash <> i.row_hash
    OR p.retired_at IS NOT NULL
