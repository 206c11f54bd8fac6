-- A tenant is its Entra id; its slug may be given to another. Null: not known yet, as in rows of before this column.
ALTER TABLE tenant ADD COLUMN entra TEXT;
-- The display name that the configuration last gave it.
ALTER TABLE tenant ADD COLUMN name TEXT;
-- What the ids of its alerts and notifications are made of. Of older rows the slug, which they were made of until now.
ALTER TABLE tenant ADD COLUMN id_key TEXT;
UPDATE tenant SET id_key = tenant;
-- Since when it has been missing from the configuration; null: it is there.
ALTER TABLE tenant ADD COLUMN gone_since INTEGER;
CREATE UNIQUE INDEX tenant_entra ON tenant (entra) WHERE entra IS NOT NULL;
CREATE INDEX tenant_gone ON tenant (gone_since) WHERE gone_since IS NOT NULL;
