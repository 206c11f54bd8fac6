-- A running service. Its lease is good until `expires_at`, on the database's clock; `id` is drawn at each start. `is_sole`: it shares the
-- store with no other service. `is_leaving`: it takes no more work. What a process writes that has no row any more is refused.
CREATE TABLE replica (
    id          TEXT COLLATE "C" PRIMARY KEY,
    place       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    is_sole     BOOLEAN NOT NULL,
    is_leaving  BOOLEAN NOT NULL DEFAULT false,
    started_at  TIMESTAMPTZ NOT NULL,
    heard_at    TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL
);

-- Which service works on which share of the tenants and channels. `epoch` grows with every owner.
CREATE TABLE shard (
    shard BIGINT PRIMARY KEY,
    owner TEXT COLLATE "C",
    epoch BIGINT NOT NULL DEFAULT 0
);
INSERT INTO shard (shard) SELECT generate_series(0, 63);

-- The row that writers lock no longer says who they are.
ALTER TABLE writer DROP COLUMN owner, DROP COLUMN place, DROP COLUMN expires_at, DROP COLUMN epoch;
