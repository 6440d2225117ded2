-- What was refused: of this pair as long as that is remembered, of this name
-- and this address within the last minute.
SELECT count(*) FILTER (WHERE login_hash = $1 AND age < $4::bigint) AS of_pair,
       count(*) FILTER (WHERE name_hash = $2 AND age < 60000) AS of_name,
       count(*) FILTER (WHERE address = $3 AND age < 60000) AS of_address
  FROM (SELECT login_hash,
               name_hash,
               address,
               extract(epoch FROM clock_timestamp() - at) * 1000 AS age
          FROM login_refusal
         WHERE at > statement_timestamp()
                    - greatest($4::bigint, 60000) * interval '1 ms'
           AND (name_hash = $2 OR address = $3)) AS refusal
