SELECT count(*) AS applied
  FROM schema_migration
