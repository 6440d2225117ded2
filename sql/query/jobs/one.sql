SELECT n, job_json(j) AS body
  FROM job j
 WHERE id = $1::uuid
   AND account_id = $2::bigint
