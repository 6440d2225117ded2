-- The newest jobs, of one account ($1) or of all (NULL); a seller goes by name.
SELECT job_json(j)::text AS body,
       j.id,
       j.kind,
       j.state,
       j.account_id,
       coalesce(convert_to(s.name, 'UTF8'), a.user_name) AS user_name,
       iso_time(j.created_at) AS created_at,
       percentage(j.done, j.total) AS percentage
  FROM job j
  LEFT JOIN account a ON a.id = j.account_id
  LEFT JOIN seller s ON s.account_id = j.account_id
 WHERE $1::bigint IS NULL
    OR j.account_id = $1::bigint
 ORDER BY j.created_at DESC, j.id
 LIMIT $2::bigint
