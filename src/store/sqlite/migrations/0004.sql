-- What is remembered of a tenant's recommendations, one row for each score that they weigh in.
CREATE TABLE recommendation (
    tenant_id   INTEGER NOT NULL REFERENCES tenant (id),
    impact      TEXT    NOT NULL,
    taken_at    INTEGER NOT NULL,
    is_complete INTEGER NOT NULL,
    rows        TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, impact)
) STRICT, WITHOUT ROWID;
CREATE INDEX recommendation_taken ON recommendation (taken_at);
