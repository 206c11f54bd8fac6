-- When a channel was first seen; its first drill has been counted from there.
ALTER TABLE channel ADD COLUMN seen_at INTEGER;
UPDATE channel SET seen_at = drilled_at;
