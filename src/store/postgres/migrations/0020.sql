-- The schema that the SQLite store has as number 20. Times are nanoseconds since 1970-01-01T00:00:00Z, days are whole days since then;
-- truth is 0 or 1. Texts are compared byte by byte, whatever the database's language, as the order of pages and lists depends on it.

CREATE TABLE meta (key TEXT COLLATE "C" PRIMARY KEY, value TEXT COLLATE "C" NOT NULL);

-- The one row that every transaction that writes locks first, so that they follow one another, whichever process they are of. `owner`:
-- the service that has the store, until `expires_at` on the database's clock. `epoch` grows with every owner.
CREATE TABLE writer (
    is_only    BOOLEAN PRIMARY KEY DEFAULT true CHECK (is_only),
    epoch      BIGINT NOT NULL DEFAULT 0,
    owner      TEXT COLLATE "C",
    place      TEXT COLLATE "C",
    expires_at TIMESTAMPTZ
);
INSERT INTO writer DEFAULT VALUES;

CREATE TABLE tenant (
    id                   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant               TEXT COLLATE "C" NOT NULL UNIQUE,
    version              BIGINT NOT NULL,
    first_seen_at        BIGINT NOT NULL,
    next_due_at          BIGINT NOT NULL,
    wake_at              BIGINT,
    checked_at           BIGINT,
    failing_since        BIGINT,
    failing_class        TEXT COLLATE "C",
    failing_hint         TEXT COLLATE "C",
    -- The day on which completed days of its series were last moved to sample_day.
    rolled_day           BIGINT NOT NULL DEFAULT -1000000,
    -- When a person asked for a check; cleared by the next check that is written.
    recheck_requested_at BIGINT,
    -- A tenant is its Entra id; its slug may be given to another.
    entra                TEXT COLLATE "C",
    -- The display name that the configuration last gave it.
    name                 TEXT COLLATE "C",
    -- What the ids of its alerts and notifications are made of.
    id_key               TEXT COLLATE "C",
    -- Since when it has been missing from the configuration; null: it is there.
    gone_since           BIGINT,
    -- The scores whose checks have been failing, each with its own cause, as JSON.
    failures             TEXT COLLATE "C",
    -- When it was configured again after it had been removed; null: it never was.
    watched_since        BIGINT
);
CREATE INDEX tenant_failing ON tenant (id) WHERE failing_since IS NOT NULL;
CREATE INDEX tenant_recheck ON tenant (recheck_requested_at) WHERE recheck_requested_at IS NOT NULL;
CREATE UNIQUE INDEX tenant_entra ON tenant (entra) WHERE entra IS NOT NULL;
CREATE INDEX tenant_gone ON tenant (gone_since) WHERE gone_since IS NOT NULL;

CREATE TABLE series (
    id               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id        BIGINT NOT NULL REFERENCES tenant (id),
    score            TEXT COLLATE "C" NOT NULL,
    -- '' where the kind has one value only, otherwise '=' and the subject: no text can look like its absence.
    subject          TEXT COLLATE "C" NOT NULL,
    last_data_at     BIGINT NOT NULL,
    -- How far back from its end `recent` must still reach after a roll.
    keep             BIGINT NOT NULL,
    -- Samples up to this time are in sample_day, whether or not they are in `recent` too.
    archived_through BIGINT,
    recent           BYTEA NOT NULL,
    -- The source time of the newest sample.
    newest_at        BIGINT,
    -- The source time of the newest record at onboarding; samples from before were imported.
    onboarded_at     BIGINT,
    UNIQUE (tenant_id, score, subject)
);

CREATE TABLE sample_day (
    day       BIGINT NOT NULL,
    series_id BIGINT NOT NULL,
    samples   BYTEA NOT NULL,
    PRIMARY KEY (series_id, day)
);
CREATE INDEX sample_day_day ON sample_day (day, series_id);

CREATE TABLE alert (
    id                   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The whole identity as JSON; also orders deliveries.
    key                  TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id            BIGINT NOT NULL REFERENCES tenant (id),
    rule                 TEXT COLLATE "C" NOT NULL,
    score                TEXT COLLATE "C" NOT NULL,
    subject              TEXT COLLATE "C",
    state                TEXT COLLATE "C" NOT NULL,
    body                 TEXT COLLATE "C" NOT NULL,
    generation           BIGINT NOT NULL,
    changed_at           BIGINT NOT NULL,
    last_notification    TEXT COLLATE "C",
    notified_at          BIGINT,
    notified_generation  BIGINT,
    notified_channels    TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    -- A person has seen it.
    acknowledged_at      BIGINT,
    acknowledged_by      TEXT COLLATE "C",
    acknowledged_comment TEXT COLLATE "C",
    -- The shift whose notice covered the alert; and what is still to be done about the alert: 'notification' or 'acceptance'.
    shift                TEXT COLLATE "C",
    owes                 TEXT COLLATE "C",
    -- The number of the newest notification of this firing that was taken back.
    taken_back           BIGINT NOT NULL DEFAULT 0,
    -- How many of its rule's escalation steps the firing has taken.
    escalated            BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX alert_tenant ON alert (tenant_id);
CREATE INDEX alert_open ON alert (state) WHERE state <> 'resolved';
CREATE INDEX alert_changed ON alert (changed_at);
CREATE INDEX alert_last_notification ON alert (last_notification) WHERE last_notification IS NOT NULL;
CREATE INDEX alert_owing ON alert (owes) WHERE owes IS NOT NULL;

CREATE TABLE notification (
    id           TEXT COLLATE "C" PRIMARY KEY,
    type         TEXT COLLATE "C" NOT NULL,
    tenant       TEXT COLLATE "C",
    alert_key    TEXT COLLATE "C",
    at           BIGINT NOT NULL,
    body         TEXT COLLATE "C" NOT NULL,
    -- What the queue knows of it: see the columns of the same names in `notify/envelope.rs`.
    said_at      BIGINT NOT NULL DEFAULT 0,
    began_at     BIGINT,
    sequence     BIGINT NOT NULL DEFAULT 0,
    is_over      BIGINT NOT NULL DEFAULT 0,
    resolution   TEXT COLLATE "C",
    observed_at  BIGINT,
    severity     TEXT COLLATE "C",
    loss_percent DOUBLE PRECISION,
    is_operator  BIGINT NOT NULL DEFAULT 0,
    -- In which order they were made, as SQLite numbers them.
    rowid        BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX notification_at ON notification (at);
CREATE INDEX notification_tenant ON notification (tenant) WHERE tenant IS NOT NULL;

-- A delivery is unfinished (queued, sending, parked, held, merged) exactly while finished_at is null.
CREATE TABLE delivery (
    id                 BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notification_id    TEXT COLLATE "C" NOT NULL REFERENCES notification (id),
    channel            TEXT COLLATE "C" NOT NULL,
    alert_key          TEXT COLLATE "C",
    tenant             TEXT COLLATE "C",
    state              TEXT COLLATE "C" NOT NULL,
    attempts           BIGINT NOT NULL DEFAULT 0,
    queued_at          BIGINT NOT NULL,
    next_attempt_at    BIGINT NOT NULL,
    finished_at        BIGINT,
    last_error         TEXT COLLATE "C",
    possible_duplicate BIGINT NOT NULL DEFAULT 0,
    -- The delivery that this one goes along with.
    merged_into        BIGINT,
    -- Whether the receiver has rejected the rich form.
    plain              BIGINT NOT NULL DEFAULT 0,
    -- Why a delivery is held, and when it is looked at; null unless its state is 'held'.
    hold_why           TEXT COLLATE "C",
    hold_until         BIGINT,
    -- When the receiver last rejected this message, whoever was at fault.
    rejected_at        BIGINT,
    -- Whether the operator was notified that this is a dead letter.
    is_noticed         BIGINT NOT NULL DEFAULT 0,
    -- Whether it goes out with all that waits, as one digest.
    is_gathered        BIGINT NOT NULL DEFAULT 0,
    UNIQUE (notification_id, channel)
);
CREATE INDEX delivery_unfinished ON delivery (channel, id) WHERE finished_at IS NULL;
CREATE INDEX delivery_sending ON delivery (channel) WHERE state = 'sending';
CREATE INDEX delivery_order ON delivery (channel, alert_key, id) WHERE finished_at IS NULL AND alert_key IS NOT NULL;
CREATE INDEX delivery_counted ON delivery (channel, state) WHERE state <> 'delivered';
CREATE INDEX delivery_finished ON delivery (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX delivery_merged ON delivery (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX delivery_held ON delivery (hold_until) WHERE state = 'held';
CREATE INDEX delivery_settled ON delivery (alert_key, channel, id)
    WHERE alert_key IS NOT NULL AND finished_at IS NOT NULL AND state <> 'suppressed';
CREATE INDEX delivery_unnoticed ON delivery (channel) WHERE state = 'dead' AND is_noticed = 0;
CREATE INDEX delivery_gathered ON delivery (channel) WHERE is_gathered = 1 AND state = 'queued';

CREATE TABLE attempt (
    delivery_id BIGINT NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    outcome     TEXT COLLATE "C",
    error       TEXT COLLATE "C",
    PRIMARY KEY (delivery_id, number)
);

CREATE TABLE downtime (from_at BIGINT NOT NULL, until_at BIGINT NOT NULL, PRIMARY KEY (from_at, until_at));

CREATE TABLE channel (
    name              TEXT COLLATE "C" PRIMARY KEY,
    parked_reason     TEXT COLLATE "C",
    parked_at         BIGINT,
    failures          BIGINT NOT NULL DEFAULT 0,
    failing_since     BIGINT,
    failed_from       BIGINT,
    failed_until      BIGINT,
    last_error        TEXT COLLATE "C",
    cooldown_from     BIGINT NOT NULL DEFAULT 0,
    cooldown_until    BIGINT NOT NULL DEFAULT 0,
    proven_at         BIGINT,
    drilled_at        BIGINT,
    -- When it was first seen; its first drill is counted from there.
    seen_at           BIGINT,
    -- The message that the receiver rejected last, unless it has accepted another one since.
    rejected_delivery BIGINT,
    -- When the receiver last accepted a message.
    delivered_at      BIGINT,
    -- When a parked channel was parked, or last tried.
    probed_at         BIGINT,
    -- The last period in which it was parked.
    was_parked_from   BIGINT,
    was_parked_until  BIGINT,
    -- Where its messages go, and all its secrets, as keyed fingerprints that give nothing of them away.
    destination       TEXT COLLATE "C",
    access            TEXT COLLATE "C"
);

-- What is remembered of a tenant's recommendations, one row for each score that they weigh in.
CREATE TABLE recommendation (
    tenant_id   BIGINT NOT NULL REFERENCES tenant (id),
    impact      TEXT COLLATE "C" NOT NULL,
    taken_at    BIGINT NOT NULL,
    is_complete BIGINT NOT NULL,
    rows        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, impact)
);
CREATE INDEX recommendation_taken ON recommendation (taken_at);

CREATE TABLE silence (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    starts_at BIGINT NOT NULL,
    ends_at   BIGINT NOT NULL,
    author    TEXT COLLATE "C" NOT NULL,
    comment   TEXT COLLATE "C" NOT NULL,
    matchers  TEXT COLLATE "C" NOT NULL
);
CREATE INDEX silence_ends ON silence (ends_at);

-- Tenants that can't be read for one reason, reported as one. An outage is over once over_at is set.
CREATE TABLE outage (
    cause             TEXT COLLATE "C" NOT NULL,
    since             BIGINT NOT NULL,
    -- The ids of all tenants that it has hit so far, as JSON.
    tenants           TEXT COLLATE "C" NOT NULL,
    notified_at       BIGINT,
    notified_channels TEXT COLLATE "C" NOT NULL,
    over_at           BIGINT,
    PRIMARY KEY (cause, since)
);

-- Times at which many tenants' scores moved together. Nobody was notified yet where notified_at is null.
CREATE TABLE fleet_shift (
    id          TEXT COLLATE "C" PRIMARY KEY,
    body        TEXT COLLATE "C" NOT NULL,
    seen_at     BIGINT NOT NULL,
    notify_at   BIGINT NOT NULL,
    notified_at BIGINT
);

-- Readings that differ from the one before by more than usual. `shift` is the fleet shift that one is part of, `part_by` as much of
-- it as the shift accounts for.
CREATE TABLE movement (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  BIGINT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    score      TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    before_at  BIGINT NOT NULL,
    before     DOUBLE PRECISION    NOT NULL,
    at         BIGINT NOT NULL,
    value      DOUBLE PRECISION    NOT NULL,
    by         DOUBLE PRECISION    NOT NULL,
    read_at    BIGINT NOT NULL,
    interval   BIGINT NOT NULL,
    is_decided BIGINT NOT NULL DEFAULT 0,
    shift      TEXT COLLATE "C",
    part_by    DOUBLE PRECISION,
    is_outlier BIGINT NOT NULL DEFAULT 0,
    UNIQUE (tenant_id, score, subject, at)
);
CREATE INDEX movement_at ON movement (at);
CREATE INDEX movement_undecided ON movement (id) WHERE is_decided = 0;
CREATE INDEX movement_part ON movement (tenant_id, at) WHERE shift IS NOT NULL;
CREATE INDEX movement_shift ON movement (shift) WHERE shift IS NOT NULL;

-- When the operator was last notified of dead letters of this channel and cause.
CREATE TABLE dead_notice (
    channel TEXT COLLATE "C" NOT NULL,
    cause   TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (channel, cause)
);

-- The controls without which a tenant's secure score is judged, and what they were worth, as JSON; no row: every control counts.
CREATE TABLE exclusion (
    tenant_id BIGINT PRIMARY KEY REFERENCES tenant (id),
    body      TEXT COLLATE "C" NOT NULL
);

-- Tokens of the API. Only a digest of each is kept. `limits` is JSON: the tenants that it may see.
CREATE TABLE token (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    digest       BYTEA NOT NULL UNIQUE,
    role         TEXT COLLATE "C" NOT NULL,
    limits       TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT COLLATE "C" NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT,
    revoked_at   BIGINT
);
CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at IS NULL;

-- People who sign in with a password, of which only an argon2id hash is kept.
CREATE TABLE account (
    id                BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name              TEXT COLLATE "C" NOT NULL UNIQUE,
    password          TEXT COLLATE "C" NOT NULL,
    role              TEXT COLLATE "C" NOT NULL,
    limits            TEXT COLLATE "C" NOT NULL,
    created_at        BIGINT NOT NULL,
    created_by        TEXT COLLATE "C" NOT NULL,
    password_set_at   BIGINT NOT NULL,
    last_signed_in_at BIGINT,
    disabled_at       BIGINT
);

-- Who is signed in. Only a digest of what the browser holds is kept.
CREATE TABLE session (
    digest     BYTEA PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account_id);

-- Who is signed in with OpenID Connect. `person` is JSON: who the provider says it is, and of their groups and app roles those that
-- counted at sign-in.
CREATE TABLE person_session (
    digest     BYTEA PRIMARY KEY,
    person     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Who did what. Each entry's hash covers the hash of the one before. What may name a tenant is in `body`, of which the hash covers
-- only a salted digest: when a tenant is erased, the body changes and the salt goes, and the chain still holds.
CREATE TABLE audit (
    seq      BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    action   TEXT COLLATE "C" NOT NULL,
    body     TEXT COLLATE "C" NOT NULL,
    salt     BYTEA,
    digest   BYTEA NOT NULL,
    erases   TEXT COLLATE "C",
    previous BYTEA NOT NULL,
    hash     BYTEA NOT NULL
);
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_is_unchanged BEFORE UPDATE ON audit FOR EACH ROW
WHEN (NEW.seq <> OLD.seq OR NEW.at <> OLD.at OR NEW.action <> OLD.action OR NEW.digest <> OLD.digest
    OR NEW.erases IS DISTINCT FROM OLD.erases OR NEW.previous <> OLD.previous OR NEW.hash <> OLD.hash
    OR NEW.salt IS NOT NULL)
EXECUTE FUNCTION audit_is_append_only();

-- Actions that were sent with an idempotency key, so that a repeated one is answered as it was the first time. `status` and `body` are
-- the answer; null: the action is under way, or nobody knows what became of it.
CREATE TABLE idempotency (
    caller      TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    started_at  BIGINT NOT NULL,
    status      BIGINT,
    body        TEXT COLLATE "C",
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_started ON idempotency (started_at);
