-- How a channel's receiver fares outlives a restart; a parked channel is one of its states.
CREATE TABLE channel_state (
    name          TEXT    PRIMARY KEY,
    parked_reason TEXT,
    parked_at     INTEGER,
    failures      INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    failed_from   INTEGER,
    failed_until  INTEGER,
    last_error    TEXT,
    rest_from     INTEGER NOT NULL DEFAULT 0,
    rest_until    INTEGER NOT NULL DEFAULT 0,
    proven_at     INTEGER,
    drilled_at    INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO channel_state (name, parked_reason, parked_at) SELECT name, parked_reason, parked_at FROM channel;
DROP TABLE channel;
ALTER TABLE channel_state RENAME TO channel;

-- The delivery that this one goes along with.
ALTER TABLE delivery ADD COLUMN carrier INTEGER;
-- Whether the receiver has rejected the rich form.
ALTER TABLE delivery ADD COLUMN plain INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_carried ON delivery (carrier) WHERE carrier IS NOT NULL;
