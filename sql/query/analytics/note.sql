-- What a run has learned of a seller; NULL: nothing.  $5: '' ends its trouble.
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
           ELSE coalesce(trouble_since, clock_timestamp()) END
 WHERE account_id = $1::bigint
RETURNING account_id
