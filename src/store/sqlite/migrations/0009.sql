-- When a person ended a silence before its end: what a check decided just before then may be wrong.
ALTER TABLE silence ADD COLUMN ended_at INTEGER;
