-- Only a PostgreSQL database is told how to fill its pages; the number is taken here, too, so that both count alike.
INSERT INTO meta (key, value) VALUES ('usable_since.24', '23');
