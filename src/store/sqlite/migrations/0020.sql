-- Who is signed in with OpenID Connect. `person` is JSON: who the provider says it is, and of their groups and app roles those that
-- counted at sign-in. What they may do is decided by the configuration in force, each time that they ask.
CREATE TABLE person_session (
    digest     BLOB PRIMARY KEY,
    person     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
