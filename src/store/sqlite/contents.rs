//! What is in a database's file, and whether it is whole.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::error::at_open;
use crate::store::StoreError;

/// What is in a database's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// The number of its schema.
    pub schema: usize,
    /// How many rows each of its tables has.
    pub rows: BTreeMap<String, i64>,
    /// Tables, indexes and triggers, as they were made.
    #[serde(skip)]
    objects: Vec<String>,
}

impl Contents {
    /// Counts what is there.
    pub(super) async fn of(connection: &mut SqliteConnection, schema: usize) -> Result<Self, StoreError> {
        let objects = sqlx::query_scalar(
            "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY 1",
        );
        let objects = objects.fetch_all(&mut *connection).await.map_err(|error| at_open(&error))?;
        let mut rows = BTreeMap::new();
        for table in tables(connection).await? {
            let count = format!("SELECT count(*) FROM \"{table}\"");
            let count = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut *connection).await;
            rows.insert(table, count.map_err(|error| at_open(&error))?);
        }
        Ok(Self { schema, rows, objects })
    }

    /// Whether both have the same tables, indexes and triggers.
    pub(super) fn is_made_like(&self, other: &Self) -> bool {
        (self.schema, &self.objects) == (other.schema, &other.objects)
    }

    /// How many rows all tables have together.
    #[must_use]
    pub fn rows_in_all(&self) -> i64 {
        self.rows.values().sum()
    }
}

async fn tables(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let tables = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'",
    );
    tables.fetch_all(connection).await.map_err(|error| at_open(&error))
}

/// Reads every page and index, and follows every reference. What is wrong is the error.
pub(super) async fn check_whole(connection: &mut SqliteConnection) -> Result<(), String> {
    let found: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| error.to_string())?;
    if found != "ok" {
        return Err(found);
    }
    let dangling: Option<String> = sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
        .fetch_optional(connection)
        .await
        .map_err(|error| error.to_string())?;
    match dangling {
        Some(table) => Err(format!("a row of the table `{table}` refers to one that is missing")),
        None => Ok(()),
    }
}
