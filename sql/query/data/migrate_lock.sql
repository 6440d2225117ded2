-- One migration at a time in this database, until the transaction ends.
SELECT pg_advisory_xact_lock(7305793107458)
