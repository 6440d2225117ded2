-- An event of the caller's transaction; its number and NOTIFY come at COMMIT.
INSERT INTO event (account_id, topic, data)
VALUES ($1::bigint, $2, $3)
