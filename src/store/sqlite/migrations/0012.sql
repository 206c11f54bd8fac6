-- The scores whose checks have been failing, each with its own cause, as JSON.
ALTER TABLE tenant ADD COLUMN failures TEXT;
-- When a tenant was configured again after it had been removed; null: it never was.
ALTER TABLE tenant ADD COLUMN watched_since INTEGER;
-- The source time of the newest record at onboarding; samples from before were imported.
ALTER TABLE series ADD COLUMN onboarded_at INTEGER;
-- Until now `keep` said how far back rules looked, not how far back the window reached: it is read from the archive once more.
UPDATE series SET keep = 1;
-- Of a store from before, it is not known what was imported; records are no older than this when they are first read.
UPDATE series SET onboarded_at = (SELECT adopted_at - 172800000000000 FROM tenant WHERE tenant.id = series.tenant_id)
    WHERE score IN ('secure-score', 'secure-score-category');
