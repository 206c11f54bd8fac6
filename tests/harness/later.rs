//! What a later version may do to a store: it adds to every table, and makes another one.

use std::path::Path;

use scorewatch::store::postgres::PostgresSettings;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::postgres::Postgres;

const TABLE: &str = "CREATE TABLE later (id BIGINT PRIMARY KEY, tenant_id BIGINT REFERENCES tenant (id), name TEXT);
    CREATE INDEX later_tenant ON later (tenant_id);";

/// Gives every table two more columns, one with a default.
const COLUMNS_POSTGRES: &str = "DO $$ DECLARE one TEXT; BEGIN
    FOR one IN SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN later_text TEXT NOT NULL DEFAULT ''later'', ADD COLUMN later_number BIGINT', one);
    END LOOP; END $$;";
const VERSION_POSTGRES: &str = "INSERT INTO schema_version (version) SELECT max(version) + 1 FROM schema_version;";
const MAY_GO_ON_POSTGRES: &str = "INSERT INTO meta (key, value) \
    SELECT 'usable_since.' || max(version), (max(version) - 1)::text FROM schema_version;";

/// Adds to a store in PostgreSQL, beside whoever works on it, and says that the version under test goes on with it.
pub(crate) async fn add_to_postgres(server: &Postgres, database: &PostgresSettings) {
    let sql = format!("BEGIN; {TABLE} {COLUMNS_POSTGRES} {VERSION_POSTGRES} {MAY_GO_ON_POSTGRES} COMMIT;");
    server.run(database, &sql).await;
}

/// Says of a store in PostgreSQL that a still later version has changed it, so that the version under test does not know enough.
pub(crate) async fn outgrow_postgres(server: &Postgres, database: &PostgresSettings) {
    server.run(database, VERSION_POSTGRES).await;
}

/// Adds to a SQLite file that nobody has open, likewise.
pub(crate) async fn add_to_sqlite(file: &Path) {
    let mut connection = open(file).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let version = version(&mut connection).await;
    let later = version + 1;
    let columns = tables.iter().map(|table| {
        format!(
            "ALTER TABLE {table} ADD COLUMN later_text TEXT NOT NULL DEFAULT 'later'; \
             ALTER TABLE {table} ADD COLUMN later_number INTEGER;"
        )
    });
    let columns: Vec<String> = columns.collect();
    let said = format!("INSERT INTO meta (key, value) VALUES ('usable_since.{later}', '{version}');");
    let sql = format!("BEGIN; {TABLE} {} {said} PRAGMA user_version = {later}; COMMIT;", columns.concat());
    run(connection, &sql).await;
}

/// As [`outgrow_postgres`].
pub(crate) async fn outgrow_sqlite(file: &Path) {
    let mut connection = open(file).await;
    let version = version(&mut connection).await;
    run(connection, &format!("PRAGMA user_version = {}", version + 1)).await;
}

async fn open(file: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap()
}

async fn version(connection: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("SELECT user_version FROM pragma_user_version").fetch_one(connection).await.unwrap()
}

async fn run(mut connection: SqliteConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
