//! Copies everything of a store into an empty one in the other database, row by row, and compares what arrived.
//!
//! Both databases have the same tables with the same columns, so the copy knows none of them by name, also those that are yet to come.
//! What is particular to a database stays there: its own tables, and what its store notes of itself ([`OWN_NOTES`]).

mod digest;
mod shape;

use futures_util::TryStreamExt;
use serde::Serialize;

use self::{digest::Digest, shape::Shape};
use super::db::{Connection, Dialect, Value, query, query_scalar};
use crate::store::StoreError;

/// Rows of `meta` that say something of one database rather than of the store.
const OWN_NOTES: &str = "('clean', 'database', 'copied_to', 'beat_clock')";
/// Values in one statement; SQLite takes at most 32,766.
const VALUES_MAX: usize = 8_000;

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// The name of the table, which is the same in both databases.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// A digest of all its rows, the same in both databases.
    pub digest: String,
}

/// How many rows of each table were copied, and what they add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Every table, in the order in which they were copied.
    pub tables: Vec<Table>,
}

/// Copies everything within the transactions that are open on both, and reads the copy again. Calls `progress` with a table's name and
/// how many of its rows were copied.
///
/// # Errors
/// [`StoreError::Refused`] if the target is not empty; [`StoreError::Failed`] if the copy differs.
pub(in crate::store) async fn copy(
    from: &mut Connection,
    to: &mut Connection,
    progress: &mut (dyn FnMut(&str, u64) + Send),
) -> Result<Copied, StoreError> {
    let shapes = shape::shapes(from, to).await?;
    for shape in shapes.iter().filter(|shape| shape.name != "meta") {
        refuse_rows(to, &shape.name).await?;
    }
    query("DELETE FROM meta WHERE key NOT LIKE 'usable_since.%'").execute(&mut *to).await?;
    let mut tables = Vec::with_capacity(shapes.len());
    for shape in &shapes {
        let read = copy_table(from, to, shape, progress).await?;
        if let Some(column) = &shape.numbered {
            continue_numbers(from, to, &shape.name, column).await?;
        }
        let written = digest_of(to, shape).await?;
        if read != written {
            return Err(StoreError::Failed(format!(
                "the copy of the table `{}` differs from it; nothing was copied",
                shape.name
            )));
        }
        tables.push(Table { name: shape.name.clone(), rows: read.rows(), digest: read.hex() });
    }
    Ok(Copied { tables })
}

async fn refuse_rows(to: &mut Connection, table: &str) -> Result<(), StoreError> {
    let found = query(format!("SELECT 1 FROM \"{table}\" LIMIT 1")).fetch_optional(to).await?;
    match found {
        None => Ok(()),
        Some(_) => Err(StoreError::Refused(format!(
            "the target is not empty: its table `{table}` has rows; name an empty database"
        ))),
    }
}

/// What reads all rows of a table.
fn select(shape: &Shape) -> String {
    let only = if shape.name == "meta" {
        format!(" WHERE key NOT IN {OWN_NOTES} AND key NOT LIKE 'usable_since.%'")
    } else {
        String::new()
    };
    format!("SELECT {} FROM \"{}\"{only}", shape.list(), shape.name)
}

async fn copy_table(
    from: &mut Connection,
    to: &mut Connection,
    shape: &Shape,
    progress: &mut (dyn FnMut(&str, u64) + Send),
) -> Result<Digest, StoreError> {
    let rows_max = (VALUES_MAX / shape.columns.len()).max(1);
    let mut digest = Digest::default();
    let mut values: Vec<Value<'static>> = Vec::with_capacity(rows_max * shape.columns.len());
    let mut waiting = 0;
    let mut rows = query(select(shape)).stream(from)?;
    while let Some(row) = rows.try_next().await? {
        let row = shape.columns.iter().enumerate().map(|(place, column)| column.kind.read(&row, place));
        let row = row.collect::<Result<Vec<_>, _>>()?;
        digest.add(&row);
        values.extend(row);
        waiting += 1;
        if waiting == rows_max {
            insert(to, shape, waiting, &mut values).await?;
            waiting = 0;
            progress(&shape.name, digest.rows());
        }
    }
    if waiting > 0 {
        insert(to, shape, waiting, &mut values).await?;
    }
    progress(&shape.name, digest.rows());
    Ok(digest)
}

async fn insert(
    to: &mut Connection,
    shape: &Shape,
    rows: usize,
    values: &mut Vec<Value<'static>>,
) -> Result<(), StoreError> {
    // Numbers that the database would draw are those of the source.
    let overriding = match to.dialect() {
        Dialect::Postgres if shape.numbered.is_some() => " OVERRIDING SYSTEM VALUE",
        _ => "",
    };
    let width = shape.columns.len();
    let row = |row: usize| {
        let places: Vec<_> = (1..=width).map(|place| format!("${}", row * width + place)).collect();
        format!("({})", places.join(","))
    };
    let all: Vec<_> = (0..rows).map(row).collect();
    let sql = format!("INSERT INTO \"{}\" ({}){overriding} VALUES {}", shape.name, shape.list(), all.join(","));
    let inserting = values.drain(..).fold(query(sql), super::db::Query::bind);
    let inserted = inserting.execute(to).await?.rows_affected();
    if inserted == rows as u64 {
        return Ok(());
    }
    Err(StoreError::Failed(format!("{inserted} of {rows} rows of the table `{}` were written", shape.name)))
}

/// Reads a whole table.
async fn digest_of(on: &mut Connection, shape: &Shape) -> Result<Digest, StoreError> {
    let mut digest = Digest::default();
    let mut rows = query(select(shape)).stream(on)?;
    while let Some(row) = rows.try_next().await? {
        let row = shape.columns.iter().enumerate().map(|(place, column)| column.kind.read(&row, place));
        digest.add(&row.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(digest)
}

/// Goes on numbering rows after the newest one that there ever was, though it may be gone.
async fn continue_numbers(
    from: &mut Connection,
    to: &mut Connection,
    table: &str,
    column: &str,
) -> Result<(), StoreError> {
    let newest = newest_number(from, table, column).await?;
    match to.dialect() {
        _ if newest == 0 => {}
        Dialect::Postgres => {
            query("SELECT setval(pg_get_serial_sequence(quote_ident($1), $2)::regclass, $3)")
                .bind(table)
                .bind(column)
                .bind(newest)
                .execute(to)
                .await?;
        }
        Dialect::Sqlite => {
            let numbered = query("UPDATE sqlite_sequence SET seq = $2 WHERE name = $1").bind(table).bind(newest);
            // A table without rows is not in there yet; one that is numbered otherwise never is.
            if numbered.execute(&mut *to).await?.rows_affected() == 0 && is_counted(to, table).await? {
                query("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)")
                    .bind(table)
                    .bind(newest)
                    .execute(to)
                    .await?;
            }
        }
    }
    Ok(())
}

async fn newest_number(from: &mut Connection, table: &str, column: &str) -> Result<i64, StoreError> {
    let there = format!("SELECT coalesce(max(\"{column}\"), 0) FROM \"{table}\"");
    let there: i64 = query_scalar(there).fetch_one(&mut *from).await?;
    let ever: Option<i64> = match from.dialect() {
        Dialect::Sqlite => {
            query_scalar("SELECT seq FROM sqlite_sequence WHERE name = $1").bind(table).fetch_optional(from).await?
        }
        Dialect::Postgres => {
            let sequence: String = query_scalar("SELECT pg_get_serial_sequence(quote_ident($1), $2)")
                .bind(table)
                .bind(column)
                .fetch_one(&mut *from)
                .await?;
            let last = format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}");
            query_scalar(last).fetch_optional(from).await?
        }
    };
    Ok(there.max(ever.unwrap_or_default()))
}

/// Whether SQLite numbers a table's rows without ever using a number again.
async fn is_counted(on: &mut Connection, table: &str) -> Result<bool, StoreError> {
    let sql: String =
        query_scalar("SELECT coalesce(max(sql), '') FROM sqlite_schema WHERE type = 'table' AND name = $1")
            .bind(table)
            .fetch_one(on)
            .await?;
    Ok(sql.contains("AUTOINCREMENT"))
}
