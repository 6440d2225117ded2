-- Drops the days that are past keeping.
SELECT dropped
  FROM event_trim($1::bigint * interval '1 ms')
