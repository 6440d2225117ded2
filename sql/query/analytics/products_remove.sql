-- Takes products off a seller's list, with all that is stored of them.
WITH found AS (
	SELECT nm_id
	  FROM product
	 WHERE account_id = $1::bigint
	   AND nm_id = ANY ($2::bigint[])
	 ORDER BY nm_id
	   FOR UPDATE
), gone AS (
	DELETE FROM product AS p
	 USING found
	 WHERE p.account_id = $1::bigint
	   AND p.nm_id = found.nm_id
	RETURNING p.nm_id
), versioned AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
	   AND EXISTS (SELECT FROM gone)
)
SELECT (SELECT count(*) FROM gone) AS removed, (
	SELECT count(*)
	  FROM product
	 WHERE account_id = $1::bigint) - (SELECT count(*) FROM gone) AS total
