-- Why a delivery is held, and when it is looked at; null unless its state is 'held'.
ALTER TABLE delivery ADD COLUMN hold_why TEXT;
ALTER TABLE delivery ADD COLUMN hold_until INTEGER;
CREATE INDEX delivery_held ON delivery (hold_until) WHERE state = 'held';
-- What a channel was told of an alert before. What is unfinished has its own index, which claims must not miss.
CREATE INDEX delivery_told ON delivery (alert_key, channel, id)
    WHERE alert_key IS NOT NULL AND finished_at IS NOT NULL AND state <> 'withheld';

-- A person has seen it; cleared by the next notification that is no reminder.
ALTER TABLE alert ADD COLUMN acknowledged_at INTEGER;
ALTER TABLE alert ADD COLUMN acknowledged_by TEXT;
ALTER TABLE alert ADD COLUMN acknowledged_comment TEXT;

CREATE TABLE silence (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    starts_at INTEGER NOT NULL,
    ends_at   INTEGER NOT NULL,
    author    TEXT    NOT NULL,
    comment   TEXT    NOT NULL,
    matchers  TEXT    NOT NULL
) STRICT;
CREATE INDEX silence_ends ON silence (ends_at);
