-- The outbox after a number, of one account ($2) or of all (NULL); a row of
-- its own when there is nothing, to say where it stands.
SELECT s.epoch, s.last, e.seq, e.account_id, iso_time(e.at) AS at, e.data
  FROM (SELECT event_epoch() AS epoch,
               greatest(trimmed, (SELECT max(seq) FROM event)) AS last
          FROM event_state) s
  LEFT JOIN LATERAL (
       SELECT seq, account_id, at, data
         FROM event
        WHERE seq > $1::bigint
          AND ($2::bigint IS NULL OR account_id = $2::bigint)
        ORDER BY seq
        LIMIT 500) e ON true
 ORDER BY e.seq
