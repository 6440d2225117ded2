-- Jobs as the API shows them, for answers that had to wait too long.
SELECT w.i,
       job_json(j)::text AS body
  FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY
       AS w (job, account, i)
  JOIN job j ON j.id = w.job
   AND j.account_id IS NOT DISTINCT FROM nullif(w.account, 0)
 ORDER BY w.i
