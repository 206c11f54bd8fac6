-- Tenants that can't be read for one reason, told as one. An outage is over once over_at is set.
CREATE TABLE outage (
    cause    TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    -- The ids of all tenants that it has hit so far, as JSON.
    tenants  TEXT    NOT NULL,
    told_at  INTEGER,
    told_to  TEXT    NOT NULL,
    over_at  INTEGER,
    PRIMARY KEY (cause, since)
) STRICT, WITHOUT ROWID;
