-- What is needed to ask for the same work again: a job of these accounts, or
-- of any ($2 NULL), and what its stream began with.  since: what was not tried
-- since then it has not come to; unknown: nor does anybody know all of that.
SELECT j.kind,
       coalesce(j.account_id, 0) AS account_id,
       j.request,
       j.state AS was,
       j.state IN ('partial', 'failed', 'cancelled') AS retryable,
       EXISTS (
	SELECT
	  FROM account a
	 WHERE a.id = j.account_id
	   AND a.state <> 'active') AS barred,
       coalesce(j.request->>'since', j.checkpoint->>'began',
           j.created_at::text) AS since,
       coalesce((j.checkpoint->>'all')::boolean
           AND NOT (j.checkpoint #>> '{funnel,done}')::boolean
           AND NOT (j.checkpoint #>> '{funnel,listed}')::boolean,
           NOT j.request ? 'since') AS unknown,
       (SELECT data FROM job_event e WHERE e.job_id = j.id AND e.n = 1)
           AS first_event
  FROM job j
 WHERE j.id = $1::uuid
   AND ($2::bigint[] IS NULL OR j.account_id = ANY ($2::bigint[]))
