-- Tokens of the API. Only a digest of each is kept. `limits` is JSON: the tenants that it may see.
CREATE TABLE token (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL,
    digest       BLOB NOT NULL UNIQUE,
    role         TEXT NOT NULL,
    limits       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at IS NULL;

-- People who sign in with a password, of which only an argon2id hash is kept.
CREATE TABLE account (
    id                INTEGER PRIMARY KEY,
    name              TEXT NOT NULL UNIQUE,
    password          TEXT NOT NULL,
    role              TEXT NOT NULL,
    limits            TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    created_by        TEXT NOT NULL,
    password_set_at   INTEGER NOT NULL,
    last_signed_in_at INTEGER,
    disabled_at       INTEGER
) STRICT;

-- Who is signed in. Only a digest of what the browser holds is kept.
CREATE TABLE session (
    digest     BLOB PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account_id);

-- Who did what. Each entry's hash covers the hash of the one before. What may name a tenant is in `body`, of which the hash covers
-- only a salted digest: when a tenant is erased, the body changes and the salt goes, and the chain still holds.
CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    action   TEXT NOT NULL,
    body     TEXT NOT NULL,
    salt     BLOB,
    digest   BLOB NOT NULL,
    erases   TEXT,
    previous BLOB NOT NULL,
    hash     BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_unchanged BEFORE UPDATE ON audit
WHEN new.seq IS NOT old.seq OR new.at IS NOT old.at OR new.action IS NOT old.action OR new.digest IS NOT old.digest
    OR new.erases IS NOT old.erases OR new.previous IS NOT old.previous OR new.hash IS NOT old.hash
    OR new.salt IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
