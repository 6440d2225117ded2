SELECT job_json(j) AS body
  FROM job j
 WHERE account_id = $1::bigint
 ORDER BY created_at DESC, id
 LIMIT $2::bigint
OFFSET $3::bigint
