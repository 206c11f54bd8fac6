-- Actions that were sent with an idempotency key, so that a repeated one is answered as it was the first time. `status` and `body` are
-- the answer; NULL: the action is under way, or nobody knows what became of it.
CREATE TABLE idempotency (
    caller      TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    status      INTEGER,
    body        TEXT,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_started ON idempotency (started_at);
