-- Which slug a tenant had before its present one, and by which configuration it was renamed, as JSON; NULL: it never was. Only replicas ask.
ALTER TABLE tenant ADD COLUMN renamed TEXT;
INSERT INTO meta (key, value) VALUES ('usable_since.26', '23');
