-- The controls without which a tenant's secure score is judged, and what they were worth, as JSON; no row: every control counts.
CREATE TABLE exclusion (
    tenant_id INTEGER PRIMARY KEY REFERENCES tenant (id),
    body      TEXT NOT NULL
) STRICT;
