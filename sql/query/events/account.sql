-- What is new for each watched account after a number (-1: nothing yet, only
-- where it stands), in order, up to a limit.  max(seq) is no number that an
-- open transaction holds: those draw theirs under the lock that they commit in.
SELECT w.i,
       s.epoch,
       s.trimmed,
       s.last,
       coalesce(a.state = 'disabled', true) AS gone,
       e.seq AS n,
       e.data
  FROM (SELECT event_epoch() AS epoch,
               trimmed,
               greatest(trimmed, (SELECT max(seq) FROM event)) AS last
          FROM event_state) s
 CROSS JOIN unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY
       AS w (account, after, i)
  LEFT JOIN account a ON a.id = w.account
  LEFT JOIN LATERAL (
       SELECT seq, data
         FROM event
        WHERE account_id = w.account
          AND seq > w.after
          AND w.after >= 0
        ORDER BY seq
        LIMIT $3) e ON true
 ORDER BY w.i, e.seq
