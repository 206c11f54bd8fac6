-- Times are nanoseconds since 1970-01-01T00:00:00Z, days are whole days since then.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
    id            INTEGER PRIMARY KEY,
    tenant        TEXT    NOT NULL UNIQUE,
    version       INTEGER NOT NULL,
    adopted_at    INTEGER NOT NULL,
    next_due_at   INTEGER NOT NULL,
    wake_at       INTEGER,
    checked_at    INTEGER,
    failing_since INTEGER,
    failing_class TEXT,
    failing_hint  TEXT,
    -- The day on which completed days of its series were last moved to sample_day.
    rolled_day    INTEGER NOT NULL DEFAULT -1000000
) STRICT;
CREATE INDEX tenant_failing ON tenant (id) WHERE failing_since IS NOT NULL;

CREATE TABLE series (
    id               INTEGER PRIMARY KEY,
    tenant_id        INTEGER NOT NULL REFERENCES tenant (id),
    score            TEXT    NOT NULL,
    -- '' where the kind has one value only, otherwise '=' and the subject: no text can look like its absence.
    subject          TEXT    NOT NULL,
    last_data_at     INTEGER NOT NULL,
    -- How far back from its end `recent` must still reach after a roll.
    keep             INTEGER NOT NULL,
    -- Samples up to this time are in sample_day, whether or not they are in `recent` too.
    archived_through INTEGER,
    recent           BLOB    NOT NULL,
    UNIQUE (tenant_id, score, subject)
) STRICT;

-- By day first: retention removes a stretch at the front, and a day's rows are written side by side.
CREATE TABLE sample_day (
    day       INTEGER NOT NULL,
    series_id INTEGER NOT NULL,
    samples   BLOB    NOT NULL,
    PRIMARY KEY (day, series_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The whole identity as JSON; also orders deliveries.
    key               TEXT    NOT NULL UNIQUE,
    tenant_id         INTEGER NOT NULL REFERENCES tenant (id),
    rule              TEXT    NOT NULL,
    score             TEXT    NOT NULL,
    subject           TEXT,
    state             TEXT    NOT NULL,
    body              TEXT    NOT NULL,
    generation        INTEGER NOT NULL,
    changed_at        INTEGER NOT NULL,
    last_notification TEXT,
    told_at           INTEGER,
    told_generation   INTEGER,
    told_to           TEXT    NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX alert_tenant ON alert (tenant_id);
CREATE INDEX alert_open ON alert (state) WHERE state <> 'resolved';
CREATE INDEX alert_changed ON alert (changed_at);
CREATE INDEX alert_last_notification ON alert (last_notification) WHERE last_notification IS NOT NULL;

CREATE TABLE notification (
    id        TEXT    PRIMARY KEY,
    type      TEXT    NOT NULL,
    tenant    TEXT,
    alert_key TEXT,
    at        INTEGER NOT NULL,
    body      TEXT    NOT NULL
) STRICT;
CREATE INDEX notification_at ON notification (at);

-- A delivery is unfinished (queued, sending, parked) exactly while finished_at is null.
CREATE TABLE delivery (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    notification_id TEXT    NOT NULL REFERENCES notification (id),
    channel         TEXT    NOT NULL,
    alert_key       TEXT,
    tenant          TEXT,
    state           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    queued_at       INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    finished_at     INTEGER,
    last_error      TEXT,
    possible_repeat INTEGER NOT NULL DEFAULT 0,
    UNIQUE (notification_id, channel)
) STRICT;
CREATE INDEX delivery_unfinished ON delivery (channel, id) WHERE finished_at IS NULL;
CREATE INDEX delivery_sending ON delivery (channel) WHERE state = 'sending';
CREATE INDEX delivery_order ON delivery (channel, alert_key, id) WHERE finished_at IS NULL AND alert_key IS NOT NULL;
CREATE INDEX delivery_counted ON delivery (channel, state) WHERE state <> 'delivered';
CREATE INDEX delivery_finished ON delivery (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE attempt (
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    outcome     TEXT,
    error       TEXT,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE channel (
    name          TEXT    PRIMARY KEY,
    parked_reason TEXT    NOT NULL,
    parked_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE away (from_at INTEGER NOT NULL, until_at INTEGER NOT NULL, PRIMARY KEY (from_at, until_at)) STRICT, WITHOUT ROWID;
