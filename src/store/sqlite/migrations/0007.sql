-- Times at which many tenants' scores moved together. Not told yet where told_at is null.
CREATE TABLE fleet_shift (
    id      TEXT    PRIMARY KEY,
    body    TEXT    NOT NULL,
    seen_at INTEGER NOT NULL,
    tell_at INTEGER NOT NULL,
    told_at INTEGER
) STRICT, WITHOUT ROWID;
-- Whether all that was told of an alert is that a fleet shift explains it.
ALTER TABLE alert ADD COLUMN explained INTEGER NOT NULL DEFAULT 0;
