-- One job as the API shows it; $2: of these accounts, or NULL for any.
SELECT job_json(j)::text AS body
  FROM job j
 WHERE id = $1::uuid
   AND ($2::bigint[] IS NULL OR account_id = ANY ($2::bigint[]))
