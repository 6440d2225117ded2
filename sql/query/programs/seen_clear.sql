DELETE FROM sync_seen
 WHERE job_id = $1::uuid
