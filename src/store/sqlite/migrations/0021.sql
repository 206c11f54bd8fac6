-- What Microsoft says of other tenants beside a tenant's secure score, of the newest record, as JSON.
CREATE TABLE average (
    tenant_id INTEGER PRIMARY KEY REFERENCES tenant (id),
    body      TEXT NOT NULL
) STRICT;
