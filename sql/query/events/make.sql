-- Partitions of the days to come.
SELECT made
  FROM event_make()
