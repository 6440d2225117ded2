-- Claims a migration for this transaction; no row when it was applied before.
INSERT INTO schema_migration (name)
VALUES ($1)
ON CONFLICT DO NOTHING
RETURNING name
