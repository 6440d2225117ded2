-- The newest jobs of these accounts.
SELECT job_json(newest.j) AS body
  FROM (SELECT l.j, l.created_at, l.id
          FROM unnest($1::bigint[]) AS a (id)
         CROSS JOIN LATERAL (
               SELECT job AS j, created_at, id
                 FROM job
                WHERE account_id = a.id
                ORDER BY created_at DESC, id
                LIMIT $2::bigint + $3::bigint) l
         ORDER BY l.created_at DESC, l.id
         LIMIT $2::bigint
        OFFSET $3::bigint) newest
 ORDER BY newest.created_at DESC, newest.id
