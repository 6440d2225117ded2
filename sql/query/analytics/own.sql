-- The sellers of an operator.
SELECT account_id AS id, name
  FROM seller
 WHERE operator = $1
 ORDER BY account_id
