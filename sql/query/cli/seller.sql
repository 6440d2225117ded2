-- A seller by its name or its number; several operators may have one of a name.
SELECT s.account_id AS id, a.state, s.operator
  FROM seller s
  JOIN account a ON a.id = s.account_id
 WHERE s.name = $1
    OR s.account_id = $2::bigint
 ORDER BY s.account_id
