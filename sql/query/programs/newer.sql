-- The account's rows are others than before: what was made of them is old.
UPDATE account
   SET registry_version = registry_version + 1
 WHERE id = $1::bigint
RETURNING registry_version
