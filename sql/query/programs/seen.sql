-- A batch of programs that are known to be as the registry has them: only that
-- this pass has seen them.
INSERT INTO sync_seen (job_id, pass, ids)
VALUES ($1::uuid, $2::smallint, $3::text[])
RETURNING pass
