-- When the receiver last rejected this message, whoever was at fault.
ALTER TABLE delivery ADD COLUMN rejected_at INTEGER;
-- Whether the operator was notified that this is a dead letter. Of the ones that are there nobody was.
ALTER TABLE delivery ADD COLUMN is_noticed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_unnoticed ON delivery (channel) WHERE state = 'dead' AND is_noticed = 0;

-- When the operator was last notified of dead letters of this channel and cause.
CREATE TABLE dead_notice (
    channel TEXT    NOT NULL,
    cause   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (channel, cause)
) STRICT, WITHOUT ROWID;

-- The message that the receiver rejected last, unless it has accepted another one since.
ALTER TABLE channel ADD COLUMN rejected_delivery INTEGER;
-- When the receiver last accepted a message.
ALTER TABLE channel ADD COLUMN delivered_at INTEGER;
-- When a parked channel was parked, or last tried.
ALTER TABLE channel ADD COLUMN probed_at INTEGER;
UPDATE channel SET probed_at = parked_at;
-- The last period in which it was parked.
ALTER TABLE channel ADD COLUMN was_parked_from INTEGER;
ALTER TABLE channel ADD COLUMN was_parked_until INTEGER;
