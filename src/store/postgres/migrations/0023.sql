-- Retention removes whole days, a small part of the table each day. Their space is to be used again within days rather than after a fifth of
-- the table is gone.
ALTER TABLE sample_day SET (autovacuum_vacuum_scale_factor = 0.02);

-- How late the checks of the last minute began at most, for people; null: not known, as a version that does not say it runs there.
-- Every service waits for this table until the migration ends.
ALTER TABLE replica ADD COLUMN lateness_ms BIGINT;
