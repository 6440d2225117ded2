-- What became of a job that is no longer ours.
SELECT state
  FROM job
 WHERE id = $1::uuid
