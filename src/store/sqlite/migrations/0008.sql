-- When a person wanted a tenant's alerts looked at though no check is due; cleared by the next check that is written.
ALTER TABLE tenant ADD COLUMN wanted_at INTEGER;
CREATE INDEX tenant_wanted ON tenant (wanted_at) WHERE wanted_at IS NOT NULL;
