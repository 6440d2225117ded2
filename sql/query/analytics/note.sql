-- What a run has learned of a seller; NULL: nothing.  $5: '' ends its trouble;
-- $6: how grave it is, as the operator is told now or has been.
UPDATE seller
   SET token_kind = CASE token_kind	-- by then it may have another token
           WHEN 'unknown' THEN coalesce($2, token_kind)
           ELSE token_kind END,
       token_warned = coalesce($3::boolean, token_warned),
       jam = coalesce($4::boolean, jam),
       trouble = CASE WHEN $5::text IS NULL THEN trouble
           ELSE nullif($5, '') END,
       trouble_since = CASE WHEN $5::text IS NULL THEN trouble_since
           WHEN $5 = '' THEN NULL
           WHEN $5 = trouble THEN trouble_since
           ELSE clock_timestamp() END,
       trouble_told = CASE WHEN $5::text IS NULL THEN trouble_told
           WHEN $5 = '' THEN 0
           ELSE greatest(trouble_told, $6::smallint) END
 WHERE account_id = $1::bigint
RETURNING account_id
