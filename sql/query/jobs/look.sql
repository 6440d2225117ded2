-- One job as the API shows it; $2: of this account, or NULL for any.
SELECT job_json(j)::text AS body
  FROM job j
 WHERE id = $1::uuid
   AND ($2::bigint IS NULL OR account_id = $2::bigint)
