//! Opens a database: right library, right file, right schema, undamaged.

use std::{path::Path, time::Duration};

use sqlx::{
    Connection, Row, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use uuid::Uuid;

use super::error::at_open;
use crate::{
    crash_point::{self, CrashPoint, Work},
    store::{
        Inspection, StoreError,
        record::{admit, usable_since_key},
        sql::{db::Dialect, guards},
    },
};

/// Older ones can damage a database when a checkpoint and a reset of the write-ahead log meet ("The WAL-reset bug", sqlite.org).
const SQLITE_VERSION_MIN: [u32; 3] = [3, 51, 3];
/// Marks the file as ours in its header: "Scor".
const APPLICATION_ID: i64 = 0x5363_6f72;
/// Schema changes, oldest first; the first makes schema version 1. One that only adds says so in `meta` ([`usable_since_key`]), so that an
/// older program goes on with the store.
const MIGRATIONS: [&str; 28] = [
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0006.sql"),
    include_str!("migrations/0007.sql"),
    include_str!("migrations/0008.sql"),
    include_str!("migrations/0009.sql"),
    include_str!("migrations/0010.sql"),
    include_str!("migrations/0011.sql"),
    include_str!("migrations/0012.sql"),
    include_str!("migrations/0013.sql"),
    include_str!("migrations/0014.sql"),
    include_str!("migrations/0015.sql"),
    include_str!("migrations/0016.sql"),
    include_str!("migrations/0017.sql"),
    include_str!("migrations/0018.sql"),
    include_str!("migrations/0019.sql"),
    include_str!("migrations/0020.sql"),
    include_str!("migrations/0021.sql"),
    include_str!("migrations/0022.sql"),
    include_str!("migrations/0023.sql"),
    include_str!("migrations/0024.sql"),
    include_str!("migrations/0025.sql"),
    include_str!("migrations/0026.sql"),
    include_str!("migrations/0027.sql"),
    include_str!("migrations/0028.sql"),
];

/// The schema that this version works with.
pub(super) const NEWEST: usize = MIGRATIONS.len();
/// The first schema that notes tenants' Entra ids.
const ENTRA_SINCE: usize = 10;

/// Damaged places that are named at most.
const FAULTS_MAX: usize = 5;

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// A command waits longer for the service to let it write: there is no queue, and a busy writer may be there first again and again.
const BUSY_TIMEOUT_BESIDE: Duration = Duration::from_secs(30);
/// Negative: KiB, not pages.
const CACHE: &str = "-16384";
/// Likewise, of each reading connection. SQLite forgets it whenever anybody has committed, so it serves one question only.
const READER_CACHE: &str = "-2048";
/// After a burst the log file is cut back to this many bytes.
const LOG_BYTES_MAX: &str = "67108864";
/// Pages of 4 KiB in the log before they are moved to the database.
const CHECKPOINT_PAGES: &str = "4000";
/// Pages and the API use at most three at a time and an event stream one more (`web/busy.rs`), so that a check never waits for people.
const READERS: u32 = 6;

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .pragma("synchronous", synchronous())
        // What is removed is gone, not only out of sight.
        .pragma("secure_delete", "ON")
        .pragma("mmap_size", "0")
        .pragma("cache_size", CACHE)
        .pragma("journal_size_limit", LOG_BYTES_MAX)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
}

/// Every commit is flushed to the disk before its result is returned.
#[cfg(not(debug_assertions))]
const fn synchronous() -> &'static str {
    "FULL"
}

/// The test of power cuts proves that it sees losses by taking the flush away.
#[cfg(debug_assertions)]
fn synchronous() -> &'static str {
    if std::env::var_os("SCOREWATCH_STORE_UNSAFE").is_some() { "NORMAL" } else { "FULL" }
}

/// Opens the writing connection of a service and brings the schema up to date.
pub(super) async fn open_service(path: &Path) -> Result<SqliteConnection, StoreError> {
    let mut connection = connect(options(path)).await?;
    match prepare(&mut connection).await {
        Ok(()) => Ok(connection),
        Err(error) => {
            // The first error is the one to report.
            let _ = connection.close().await;
            Err(error)
        }
    }
}

async fn prepare(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let version = schema_version(connection).await?;
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode = WAL").fetch_one(&mut *connection).await.map_err(|e| at_open(&e))?;
    if mode != "wal" {
        return Err(StoreError::Open(format!("the file system allows no write-ahead log (journal mode is `{mode}`)")));
    }
    migrate(connection, version).await?;
    if !is_clean(connection).await? {
        check_integrity(connection).await?;
    }
    mark_clean(connection, false).await
}

/// Opens a store of whatever schema as it is; a reading connection leaves the file alone. Also gives the number of its schema.
pub(super) async fn open_as_it_is(path: &Path, read_only: bool) -> Result<(SqliteConnection, usize), StoreError> {
    let options = options(path).busy_timeout(BUSY_TIMEOUT_BESIDE).read_only(read_only);
    let mut connection = connect(options).await?;
    let version = schema_version(&mut connection).await;
    match version {
        Ok(version) => Ok((connection, version)),
        Err(error) => {
            // The first error is the one to report.
            let _ = connection.close().await;
            Err(error)
        }
    }
}

/// Opens a writing connection beside a running service.
pub(super) async fn open_beside(path: &Path) -> Result<SqliteConnection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Open(format!("there is no `{}`; start the service once", path.display())));
    }
    let mut connection = connect(options(path).busy_timeout(BUSY_TIMEOUT_BESIDE)).await?;
    if schema_version(&mut connection).await? >= MIGRATIONS.len() {
        return Ok(connection);
    }
    Err(StoreError::Open("its schema is older than this version; start the service once".to_owned()))
}

/// The schema of a file, the newest one, and what is damaged.
pub(super) async fn inspect(path: &Path, process: Option<u32>) -> Result<Inspection, StoreError> {
    let mut connection = connect(options(path).read_only(true)).await?;
    let inspected = async {
        let schema = schema_version(&mut connection).await?;
        let sql = format!("PRAGMA quick_check({FAULTS_MAX})");
        let found: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .map_err(|error| at_open(&error))?;
        let faults: Vec<String> = found.into_iter().filter(|line| line != "ok").collect();
        let mut unguarded = Vec::new();
        if schema >= NEWEST && faults.is_empty() {
            let found: Result<Vec<(String, String)>, _> =
                sqlx::query_as(guards::SQLITE).fetch_all(&mut connection).await;
            unguarded = guards::missing(Dialect::Sqlite, &found.map_err(|error| at_open(&error))?);
        }
        Ok(Inspection { schema: schema as u64, newest: NEWEST as u64, faults, unguarded, process })
    };
    let inspected = inspected.await;
    // Nothing was written.
    let _ = connection.close().await;
    inspected
}

/// The names of every tenant in a store of whatever schema, each with its Entra id as far as that is noted. No file: none.
pub(super) async fn names(path: &Path) -> Result<Vec<(String, Option<String>)>, StoreError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut connection = connect(options(path).read_only(true)).await?;
    let names = match schema_version(&mut connection).await? {
        0 => Ok(Vec::new()),
        version => {
            // The schema of that number is the first that notes them.
            let entra = if version < ENTRA_SINCE { "NULL" } else { "entra" };
            let sql = format!("SELECT tenant, {entra} FROM tenant");
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.map_err(StoreError::from)
        }
    };
    // Nothing was written.
    let _ = connection.close().await;
    names
}

async fn connect(options: SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(|error| at_open(&error))?;
    let version: String =
        sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await.map_err(|e| at_open(&e))?;
    if is_old(&version) {
        return Err(StoreError::Open(format!("SQLite {version} is too old; 3.51.3 or newer is needed")));
    }
    Ok(connection)
}

fn is_old(version: &str) -> bool {
    let parts: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
    parts.as_slice() < SQLITE_VERSION_MIN.as_slice()
}

/// Readers see the newest commit and never wait for the writer.
pub(super) fn readers(path: &Path) -> SqlitePool {
    // A file does not go away between two queries as a server does.
    let pool = SqlitePoolOptions::new().max_connections(READERS).test_before_acquire(false);
    pool.connect_lazy_with(options(path).pragma("cache_size", READER_CACHE).read_only(true))
}

/// The schema's version; 0: a new file. It may be newer than [`NEWEST`], if it says that this program works with it.
async fn schema_version(connection: &mut SqliteConnection) -> Result<usize, StoreError> {
    let row = sqlx::query(
        "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), \
         (SELECT count(*) FROM sqlite_schema)",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(|error| at_open(&error))?;
    let (version, application, objects): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if application == 0 && version == 0 && objects == 0 {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(StoreError::Open("the file is another program's database".to_owned()));
    }
    let newest = i64::try_from(NEWEST).unwrap_or(i64::MAX);
    if version > newest {
        let said = sqlx::query_scalar("SELECT value FROM meta WHERE key = ?").bind(usable_since_key(version));
        let usable_since: Option<String> = said.fetch_optional(connection).await.map_err(|error| at_open(&error))?;
        admit(version, newest, usable_since.as_deref())?;
    }
    usize::try_from(version).map_err(|_| StoreError::Open(format!("its schema has the number {version}")))
}

async fn migrate(connection: &mut SqliteConnection, from: usize) -> Result<(), StoreError> {
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(from) {
        let version = index + 1;
        let identity = if index == 0 {
            format!("INSERT INTO meta (key, value) VALUES ('identity', '{}'), ('clean', '1');", Uuid::new_v4().simple())
        } else {
            String::new()
        };
        // In one transaction, so that a crash leaves the old schema or the new one.
        let script = format!(
            "BEGIN IMMEDIATE; {migration} {identity} PRAGMA application_id = {APPLICATION_ID}; \
             PRAGMA user_version = {version};"
        );
        let applied = async {
            sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut *connection).await?;
            crash_point::reach(CrashPoint::BeforeCommit(Work::Migration));
            sqlx::query("COMMIT").execute(&mut *connection).await
        };
        if let Err(error) = applied.await {
            let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
            return Err(at_open(&error));
        }
        crash_point::reach(CrashPoint::AfterCommit(Work::Migration));
    }
    Ok(())
}

/// Drawn when the store was made.
pub(super) async fn identity(connection: &mut SqliteConnection) -> Result<String, StoreError> {
    let identity = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'identity'").fetch_one(connection).await;
    identity.map_err(|error| at_open(&error))
}

async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let clean: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'clean'")
        .fetch_optional(connection)
        .await
        .map_err(|error| at_open(&error))?;
    Ok(clean.as_deref() == Some("1"))
}

/// Notes whether the next start may trust the file unseen.
pub(super) async fn mark_clean(connection: &mut SqliteConnection, clean: bool) -> Result<(), StoreError> {
    let work = if clean { Work::MarkClosed } else { Work::MarkInUse };
    crash_point::reach(CrashPoint::BeforeCommit(work));
    sqlx::query(
        "INSERT INTO meta (key, value) VALUES ('clean', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .bind(if clean { "1" } else { "0" })
    .execute(connection)
    .await?;
    crash_point::reach(CrashPoint::AfterCommit(work));
    Ok(())
}

async fn check_integrity(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found: String =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(connection).await.map_err(|error| at_open(&error))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Open(format!("the database is damaged ({found}); restore a backup")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_with_the_log_reset_bug_is_refused() {
        for (version, old) in
            [("3.40.1", true), ("3.51.2", true), ("3.51.3", false), ("3.54.0", false), ("4.0.0", false)]
        {
            assert_eq!(is_old(version), old, "{version}");
        }
    }

    /// What the first schema left behind.
    const FIRST: &str = include_str!("../../../tests/promise/crash/fixture/schema-1.sql");

    #[tokio::test]
    async fn a_store_of_every_earlier_schema_is_taken_over_with_what_is_in_it() {
        let mut expected = None;
        for schema in 1..=MIGRATIONS.len() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("s.db");
            super::super::files::create(&path).unwrap();
            let mut old = connect(options(&path)).await.unwrap();
            let migrations = MIGRATIONS[1..schema].join("\n");
            let script = format!("{FIRST}\n{migrations}\nPRAGMA user_version = {schema};");
            sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut old).await.unwrap();
            old.close().await.unwrap();
            let seen = inspect(&path, None).await.unwrap();
            assert_eq!((seen.schema, seen.newest), (schema as u64, MIGRATIONS.len() as u64));
            assert_eq!((seen.faults, seen.unguarded), (Vec::new(), Vec::new()));
            let mut connection = open_service(&path).await.unwrap();
            let tables: Vec<String> =
                sqlx::query_scalar("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY type, name")
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
            let rows =
                "SELECT (SELECT count(*) FROM tenant), (SELECT count(*) FROM alert), (SELECT count(*) FROM delivery)";
            let rows: (i64, i64, i64) = sqlx::query_as(rows).fetch_one(&mut connection).await.unwrap();
            assert!(rows.0 > 1 && rows.1 > 1 && rows.2 > 1, "{rows:?}");
            assert_eq!(expected.get_or_insert((tables.clone(), rows)), &(tables, rows), "from schema {schema}");
        }
    }

    #[tokio::test]
    async fn connections_are_durable_and_guarded_as_promised() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.db");
        super::super::files::create(&path).unwrap();
        let mut connection = open_service(&path).await.unwrap();
        for (pragma, value) in [
            ("journal_mode", "wal"),
            ("synchronous", "2"),
            ("foreign_keys", "1"),
            ("busy_timeout", "5000"),
            ("mmap_size", "0"),
            ("journal_size_limit", LOG_BYTES_MAX),
        ] {
            let row =
                sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"))).fetch_one(&mut connection).await.unwrap();
            let found = row.try_get::<i64, _>(0).map(|n| n.to_string()).or_else(|_| row.try_get(0)).unwrap();
            assert_eq!(found, value, "{pragma}");
        }
        let pool = readers(&path);
        let refused = sqlx::query("DELETE FROM meta").execute(&pool).await;
        assert!(refused.is_err(), "readers can't write");
    }
}
