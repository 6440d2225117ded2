-- A job of one of these accounts.
SELECT n, account_id, job_json(j) AS body
  FROM job j
 WHERE id = $1::uuid
   AND account_id = ANY ($2::bigint[])
