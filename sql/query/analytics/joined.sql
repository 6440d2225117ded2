-- What is to be said of a run that was there already: when it will be over, as
-- far as that is known.  Nobody knows while it is paused.
SELECT state,
       CASE WHEN state <> 'paused'
       THEN greatest(0, ceil(extract(epoch FROM eta_at - clock_timestamp())))
       END::bigint AS eta_s
  FROM job
 WHERE id = $1::uuid
