-- An action that was sent with an idempotency key is done by the transaction that notes here its first entry in the audit log; NULL: it is
-- not done. `attempt` is drawn each time that it is begun, so that one that was given up does nothing any more.
ALTER TABLE idempotency ADD COLUMN attempt INTEGER;
ALTER TABLE idempotency ADD COLUMN entry INTEGER;
INSERT INTO meta (key, value) VALUES ('usable_since.25', '23');
