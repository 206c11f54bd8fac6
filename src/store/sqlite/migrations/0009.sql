-- A fleet shift groups notifications and hides none: the state "explained, therefore quiet" is gone.

-- The shift whose notice covered the alert; and what is still to be done about the alert: 'notification' or 'acceptance'.
ALTER TABLE alert ADD COLUMN shift TEXT;
ALTER TABLE alert ADD COLUMN owes TEXT;
-- What an earlier version kept quiet and still fires sends one reminder, at a visit that is asked for now.
UPDATE alert SET owes = 'notification' WHERE explained <> 0 AND state = 'firing';
UPDATE tenant SET version = version + 1, wanted_at = coalesce(wanted_at, checked_at, adopted_at)
    WHERE id IN (SELECT tenant_id FROM alert WHERE owes IS NOT NULL);
ALTER TABLE alert DROP COLUMN explained;
CREATE INDEX alert_owing ON alert (owes) WHERE owes IS NOT NULL;

-- The source time of the newest sample.
ALTER TABLE series ADD COLUMN newest_at INTEGER;

-- Readings that differ from the one before by more than usual. `shift` is the fleet shift that one is part of, `part_by` as much of
-- it as the shift accounts for.
CREATE TABLE movement (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id   INTEGER NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    score       TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    before_at   INTEGER NOT NULL,
    before      REAL    NOT NULL,
    at          INTEGER NOT NULL,
    value       REAL    NOT NULL,
    by          REAL    NOT NULL,
    read_at     INTEGER NOT NULL,
    interval    INTEGER NOT NULL,
    is_decided  INTEGER NOT NULL DEFAULT 0,
    shift       TEXT,
    part_by     REAL,
    is_outlier  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant_id, score, subject, at)
) STRICT;
CREATE INDEX movement_at ON movement (at);
CREATE INDEX movement_undecided ON movement (id) WHERE is_decided = 0;
CREATE INDEX movement_part ON movement (tenant_id, at) WHERE shift IS NOT NULL;
CREATE INDEX movement_shift ON movement (shift) WHERE shift IS NOT NULL;
