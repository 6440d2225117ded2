-- What a request needs to know of who asks, in one look-up.
SELECT id,
       login_hash,
       registry_version,
       pacific_today() AS today,
       state = 'disabled' AS disabled,
       state = 'active'
           AND verified_at > clock_timestamp()
               - $2::bigint * interval '1 ms' AS good,
       greatest(0, extract(epoch FROM verified_at - clock_timestamp()) * 1000
           + $2::bigint)::bigint AS left_ms
  FROM account
 WHERE user_name = $1
   AND api = 'partner'
