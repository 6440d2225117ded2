-- Adds products by their ids; $3: from now on all that the API lists (NULL: as
-- it is).
WITH new AS (
	INSERT INTO product (account_id, nm_id)
	SELECT DISTINCT $1::bigint, id
	  FROM unnest($2::bigint[]) AS t (id)
	 ORDER BY id
	    ON CONFLICT DO NOTHING
	RETURNING nm_id
), versioned AS (
	UPDATE account
	   SET registry_version = registry_version + 1
	 WHERE id = $1::bigint
	RETURNING id
), said AS (
	UPDATE seller
	   SET all_products = coalesce($3::boolean, all_products)
	  FROM versioned		-- whose row comes first, as everywhere
	 WHERE account_id = versioned.id
	   AND $3::boolean IS NOT NULL
)
SELECT (SELECT count(*) FROM new) AS added,
       (SELECT count(*) FROM new) + (
		SELECT count(*)
		  FROM product
		 WHERE account_id = $1::bigint) AS total
