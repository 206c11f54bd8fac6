-- Numbers are those of the SQLite store, where an entry could be replaced; here the trigger for updates refuses that, too.
INSERT INTO meta (key, value) VALUES ('usable_since.27', '23');
