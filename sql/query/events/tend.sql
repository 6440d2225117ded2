-- Partitions of the days to come, and no longer those that are past keeping.
SELECT made, dropped
  FROM event_tend($1::bigint * interval '1 ms')
