-- What is needed to ask for the same work again: a job of these accounts, or
-- of any ($2 NULL), and what its stream began with.
SELECT j.kind,
       coalesce(j.account_id, 0) AS account_id,
       j.request,
       j.state AS was,
       j.state IN ('partial', 'failed', 'cancelled') AS retryable,
       (SELECT data FROM job_event e WHERE e.job_id = j.id AND e.n = 1)
           AS first_event
  FROM job j
 WHERE j.id = $1::uuid
   AND ($2::bigint[] IS NULL OR j.account_id = ANY ($2::bigint[]))
