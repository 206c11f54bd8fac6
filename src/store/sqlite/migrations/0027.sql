-- `INSERT OR REPLACE` removes the row that is in its way without firing the trigger that refuses removals.
CREATE TRIGGER audit_is_new BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = new.seq)
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
INSERT INTO meta (key, value) VALUES ('usable_since.27', '23');
