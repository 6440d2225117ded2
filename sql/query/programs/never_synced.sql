SELECT synced_at IS NULL AS never
  FROM account
 WHERE id = $1::bigint
