-- What a complete reading has shown of an account's list, page by page, good for
-- as long as its registry is of the same version and has so many programs; $4:
-- all of it was compared with the registry.  Nothing is written for nothing.
INSERT INTO registry_digest AS d (account_id, version, pages, programs)
SELECT id, registry_version, $2::bytea, $3::bigint
  FROM account
 WHERE id = $1::bigint
    ON CONFLICT (account_id) DO UPDATE
   SET version = excluded.version,
       pages = excluded.pages,
       programs = excluded.programs,
       compared_at = CASE WHEN $4::boolean THEN excluded.compared_at
           ELSE d.compared_at END
 WHERE $4::boolean
    OR (d.version, d.programs, d.pages) IS DISTINCT FROM
       (excluded.version, excluded.programs, excluded.pages)
RETURNING account_id
