-- The changed configuration that a service rejects, as JSON; null: it rejects none. Every service waits for this table until the migration
-- ends.
ALTER TABLE replica ADD COLUMN rejected TEXT COLLATE "C";

-- Which slug a tenant had before its present one, and by which configuration it was renamed, as JSON; null: it never was.
ALTER TABLE tenant ADD COLUMN renamed TEXT COLLATE "C";

-- A version that knows schema 23 goes on with this one.
INSERT INTO meta (key, value) VALUES ('usable_since.26', '23');
