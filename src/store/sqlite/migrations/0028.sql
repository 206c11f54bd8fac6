-- Where a channel led before, and when it moved. Only replicas ask.
ALTER TABLE channel ADD COLUMN led_before TEXT;
ALTER TABLE channel ADD COLUMN moved_at INTEGER;
INSERT INTO meta (key, value) VALUES ('usable_since.28', '23');
