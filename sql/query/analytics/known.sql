-- Why a seller cannot be added.
SELECT EXISTS (
	SELECT
	  FROM seller
	 WHERE operator = $1
	   AND name = $2) AS named,
       shown_in('epoch', $3) IS NULL AS nowhere
