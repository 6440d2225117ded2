-- What was refused a moment ago: of this pair, this name, this address.
SELECT count(*) FILTER (WHERE login_hash = $1) AS of_pair,
       count(*) FILTER (WHERE name_hash = $2) AS of_name,
       count(*) FILTER (WHERE address = $3) AS of_address
  FROM login_refusal
 WHERE at > clock_timestamp() - $4::bigint * interval '1 ms'
   AND (name_hash = $2 OR address = $3)
