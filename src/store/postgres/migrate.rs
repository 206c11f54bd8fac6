//! Brings the schema up to date.

use std::fmt::Write;

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::error::at_open;
use crate::{
    crash_point::{self, CrashPoint, Work},
    store::{
        StoreError,
        record::{admit, usable_since_key},
    },
};

/// Schema changes, oldest first, each with its number. The first makes everything; numbers are those of the SQLite store. One that only
/// adds says so in `meta` ([`usable_since_key`]), so that older programs go on with the store. Any other has to refuse to work while a
/// replica lives, as [`refuse_beside_older`] does.
const MIGRATIONS: [(i64, &str); 9] = [
    (20, include_str!("migrations/0020.sql")),
    (21, include_str!("migrations/0021.sql")),
    (22, include_str!("migrations/0022.sql")),
    (23, include_str!("migrations/0023.sql")),
    (24, include_str!("migrations/0024.sql")),
    (25, include_str!("migrations/0025.sql")),
    (26, include_str!("migrations/0026.sql")),
    (27, include_str!("migrations/0027.sql")),
    (NEWEST, include_str!("migrations/0028.sql")),
];
/// The schema that this version works with.
pub(super) const NEWEST: i64 = 28;
/// Names the lock under which schemas change: "Scor".
const LOCK: i64 = 0x5363_6f72;

/// The version of the schema; 0: there is none. It may be newer than [`NEWEST`], if it says that this program works with it.
pub(super) async fn version(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let read = async {
        // `to_regclass` may remember that there is none, though another process has made it since and is what was waited for.
        let is_there: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'schema_version' AND pg_table_is_visible(oid))",
        )
        .fetch_one(&mut *connection)
        .await?;
        if !is_there {
            return Ok(0);
        }
        sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema_version").fetch_one(&mut *connection).await
    };
    let version: i64 = read.await.map_err(|error: sqlx::Error| at_open(&error))?;
    if version > NEWEST {
        let said = sqlx::query_scalar("SELECT value FROM meta WHERE key = $1").bind(usable_since_key(version));
        let usable_since: Option<String> = said.fetch_optional(connection).await.map_err(|error| at_open(&error))?;
        admit(version, NEWEST, usable_since.as_deref())?;
    }
    Ok(version)
}

/// The first schema in which services have rows of their own.
pub(super) const REPLICAS_SINCE: i64 = 22;

/// Brings the schema up to date, all in one transaction, which no other process is in at the same time. Other services of this version or
/// a later one may work meanwhile: what a migration adds does not trouble them. One from before [`REPLICAS_SINCE`] may not.
pub(super) async fn prepare(connection: &mut PgConnection) -> Result<(), StoreError> {
    if version(connection).await? >= NEWEST {
        return Ok(());
    }
    let migrated = within_lock(connection).await;
    if migrated.is_err() {
        // The first error is the one to report.
        let _ = sqlx::query("ROLLBACK").execute(connection).await;
    }
    migrated
}

async fn within_lock(connection: &mut PgConnection) -> Result<(), StoreError> {
    let begun = async {
        sqlx::query("BEGIN").execute(&mut *connection).await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *connection).await
    };
    begun.await.map_err(|error| at_open(&error))?;
    // Another process may have been here first.
    let from = version(connection).await?;
    if from == 0 {
        refuse_others(connection).await?;
    } else if from < REPLICAS_SINCE {
        refuse_beside_older(connection).await?;
    }
    let script = script(from);
    let applied = async {
        // While this waits for a table, every service waits behind it. So it gives up soon if somebody has one for long, such as a dump.
        sqlx::raw_sql("SET LOCAL lock_timeout = '2s'").execute(&mut *connection).await?;
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *connection).await?;
        crash_point::reach(CrashPoint::BeforeCommit(Work::Migration));
        sqlx::query("COMMIT").execute(&mut *connection).await
    };
    applied.await.map_err(|error| at_open(&error))?;
    crash_point::reach(CrashPoint::AfterCommit(Work::Migration));
    Ok(())
}

/// Refuses while a service works that knows of no others. None begins to until the transaction ends: each locks that row first.
async fn refuse_beside_older(connection: &mut PgConnection) -> Result<(), StoreError> {
    let owner: Option<String> = sqlx::query_scalar(
        "SELECT CASE WHEN owner IS NOT NULL AND expires_at > clock_timestamp() THEN ' (' || place || ')' END FROM writer FOR UPDATE",
    )
    .fetch_one(connection)
    .await
    .map_err(|error| at_open(&error))?;
    owner.map_or(Ok(()), |place| Err(StoreError::InUse(place)))
}

/// All that is to be done to a schema of that version.
fn script(from: i64) -> String {
    let mut script = String::new();
    if from == 0 {
        script.push_str(
            "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL DEFAULT now());\n",
        );
    }
    for (version, migration) in MIGRATIONS.iter().filter(|(version, _)| *version > from) {
        // Writing to a text does not fail.
        let _ = writeln!(script, "{migration}INSERT INTO schema_version (version) VALUES ({version});");
    }
    if from == 0 {
        let _ = writeln!(script, "INSERT INTO meta (key, value) VALUES ('identity', '{}');", Uuid::new_v4().simple());
    }
    script
}

/// A store shares its schema with nothing else.
async fn refuse_others(connection: &mut PgConnection) -> Result<(), StoreError> {
    let tables: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')",
    )
    .fetch_one(connection)
    .await
    .map_err(|error| at_open(&error))?;
    if tables == 0 {
        return Ok(());
    }
    Err(StoreError::Open(
        "the database has another program's tables; make an empty one with `CREATE DATABASE`".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What ends a statement; texts in migrations have none.
    const END: char = ';';

    /// The statements of a migration, without comments.
    fn statements(migration: &str) -> Vec<String> {
        let lines = migration.lines().map(|line| line.split("--").next().unwrap_or_default());
        let text = lines.collect::<Vec<_>>().join(" ");
        let statements = text.split(END).map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
        statements.filter(|one| !one.is_empty()).collect()
    }

    /// Whether older programs go on with what the statement does.
    fn only_adds(statement: &str) -> bool {
        let begins = |with: &[&str]| with.iter().any(|begin| statement.starts_with(begin));
        if begins(&["CREATE TABLE ", "CREATE INDEX ", "CREATE TRIGGER ", "CREATE FUNCTION ", "INSERT INTO meta "]) {
            return true;
        }
        let Some(change) = statement.strip_prefix("ALTER TABLE ").and_then(|rest| rest.split_once(' ')) else {
            return false;
        };
        let may_be_left_out = |column: &str| {
            column.starts_with("ADD COLUMN ") && (!column.contains("NOT NULL") || column.contains(" DEFAULT "))
        };
        change.1.starts_with("SET (") || change.1.split(", ").all(may_be_left_out)
    }

    #[test]
    fn migrations_that_older_replicas_work_beside_only_add() {
        for (version, migration) in MIGRATIONS.into_iter().filter(|(version, _)| *version > 23) {
            let statements = statements(migration);
            let says = format!("INSERT INTO meta (key, value) VALUES ('{}', '23')", usable_since_key(version));
            assert!(statements.contains(&says), "{version} does not say that it only adds: {statements:#?}");
            for statement in &statements {
                assert!(only_adds(statement), "{version} does more than to add: {statement}");
            }
        }
    }

    #[test]
    fn what_troubles_an_older_replica_does_not_pass_for_an_addition() {
        for (statement, expected) in [
            ("ALTER TABLE replica ADD COLUMN lateness_ms BIGINT", true),
            ("ALTER TABLE channel ADD COLUMN a TEXT, ADD COLUMN b BIGINT NOT NULL DEFAULT 0", true),
            ("ALTER TABLE series SET (fillfactor = 50)", true),
            ("ALTER TABLE channel ADD COLUMN a TEXT, ADD COLUMN b BIGINT NOT NULL", false),
            ("ALTER TABLE channel ADD COLUMN a TEXT, DROP COLUMN b", false),
            ("ALTER TABLE channel RENAME COLUMN a TO b", false),
            ("ALTER TABLE channel ADD CONSTRAINT short CHECK (length(name) < 9)", false),
            ("CREATE UNIQUE INDEX one ON channel (destination)", false),
            ("DROP TABLE average", false),
            ("UPDATE channel SET destination = NULL", false),
            ("INSERT INTO shard (shard) VALUES (64)", false),
        ] {
            assert_eq!(only_adds(statement), expected, "{statement}");
        }
    }
}
