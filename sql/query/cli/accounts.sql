-- All accounts of the partner, as support looks at them.
SELECT a.id,
       a.user_name,
       a.state,
       iso_time(a.verified_at) AS verified_at,
       iso_time(a.synced_at) AS synced_at,
       (SELECT iso_time(min(s.next_at))
          FROM schedule s
         WHERE s.account_id = a.id
           AND s.enabled
           AND a.state = 'active'
           AND isfinite(s.next_at)) AS next_sync_at,
       (SELECT count(*)
          FROM program p
         WHERE p.account_id = a.id
           AND p.retired_at IS NULL) AS programs
  FROM account a
 WHERE a.api = 'partner'
 ORDER BY a.id
