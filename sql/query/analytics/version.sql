-- What an answer about a seller depends on, for its entity tag.
SELECT registry_version, (clock_timestamp() AT TIME ZONE 'UTC')::date AS today
  FROM account
 WHERE id = $1::bigint
