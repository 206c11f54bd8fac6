-- Where a channel led before, and when it moved: a replica that still has the old secret does not move it back. Every service waits for this
-- table until the migration ends.
ALTER TABLE channel ADD COLUMN led_before TEXT COLLATE "C", ADD COLUMN moved_at BIGINT;

-- A version that knows schema 23 goes on with this one.
INSERT INTO meta (key, value) VALUES ('usable_since.28', '23');
