//! Many rows, few statements. A round trip to a driver costs as much as dozens of rows, so rows of a whole group of
//! operations go together: to SQLite in a few fixed sizes, so that each statement is prepared once; to a PostgreSQL server, to which
//! the way is longer, all at once, as one array for each column.

use std::sync::OnceLock;

use super::db::{Connection, Dialect, Query, Row, Value, columns, query};
use crate::store::StoreError;

/// How a list of rows begins in a statement.
const VALUES: &str = "VALUES ";

/// Rows of one statement, largest first; the last is 1.
const CHUNKS: [usize; 3] = [64, 8, 1];

/// A statement around a `VALUES` list. There is a fixed number of them, each of which is written once for each size.
pub(super) struct Bulk {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    texts: [OnceLock<&'static str>; CHUNKS.len()],
}

impl Bulk {
    /// `head`: up to and with [`VALUES`]. `columns`: how many values a row has. `tail`: what follows the list.
    pub(super) const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, columns, tail, texts: [const { OnceLock::new() }; CHUNKS.len()] }
    }

    fn statement<'q>(&'static self, rows: usize) -> Query<'q> {
        let known = CHUNKS.iter().position(|size| *size == rows).map(|place| &self.texts[place]);
        match known {
            Some(text) => query(*text.get_or_init(|| self.text(rows).leak())),
            None => query(self.text(rows)),
        }
    }

    fn text(&self, rows: usize) -> String {
        let mut sql = self.head.to_owned();
        for number in 0..rows * self.columns {
            // Without numbers: a driver looks each number up among all others, each time that it binds.
            sql.push_str(match (number, number % self.columns) {
                (0, _) => "(?",
                (_, 0) => "),(?",
                _ => ",?",
            });
        }
        sql.push(')');
        sql.push_str(self.tail);
        sql
    }

    /// One statement with all rows, as PostgreSQL takes them. Columns have the names that those of a `VALUES` list have.
    fn at_once<'q, T>(
        &'static self,
        rows: &'q [T],
        bind: impl Fn(Query<'q>, &'q T) -> Query<'q>,
    ) -> Result<Query<'q>, StoreError> {
        let columns = columns(rows.iter().fold(query(""), bind).into_values(), self.columns)?;
        let types = columns.iter().map(super::db::Column::type_name);
        let sql = self.text_at_once(types);
        Ok(columns.into_iter().map(Value::Column).fold(query(sql), Query::bind))
    }

    fn text_at_once(&self, types: impl Iterator<Item = &'static str>) -> String {
        let arrays: Vec<_> = types.enumerate().map(|(place, array)| format!("${}::{array}", place + 1)).collect();
        let names: Vec<_> = (1..=self.columns).map(|number| format!("column{number}")).collect();
        let head = self.head.strip_suffix(VALUES).unwrap_or(self.head);
        format!("{head}SELECT * FROM unnest({}) AS u({}){}", arrays.join(","), names.join(","), self.tail)
    }

    /// Runs it over all rows.
    pub(super) async fn execute<'q, T>(
        &'static self,
        connection: &mut Connection,
        rows: &'q [T],
        bind: impl Fn(Query<'q>, &'q T) -> Query<'q>,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        if connection.dialect() == Dialect::Postgres {
            return self.at_once(rows, bind)?.execute(connection).await.map(drop);
        }
        for chunk in chunks(rows) {
            chunk.iter().fold(self.statement(chunk.len()), &bind).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Runs it over all rows and collects what it returns, in no particular order.
    pub(super) async fn fetch<'q, T>(
        &'static self,
        connection: &mut Connection,
        rows: &'q [T],
        bind: impl Fn(Query<'q>, &'q T) -> Query<'q>,
    ) -> Result<Vec<Row>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        if connection.dialect() == Dialect::Postgres {
            return self.at_once(rows, bind)?.fetch_all(connection).await;
        }
        let mut found = Vec::with_capacity(rows.len());
        for chunk in chunks(rows) {
            found.append(&mut chunk.iter().fold(self.statement(chunk.len()), &bind).fetch_all(&mut *connection).await?);
        }
        Ok(found)
    }
}

fn chunks<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut chunks = Vec::new();
    for size in CHUNKS {
        while rows.len() >= size {
            let (chunk, rest) = rows.split_at(size);
            chunks.push(chunk);
            rows = rest;
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_place_for_each_value() {
        static PAIRS: Bulk = Bulk::new("INSERT INTO t VALUES ", 2, " RETURNING id");
        assert_eq!(PAIRS.text(1), "INSERT INTO t VALUES (?,?) RETURNING id");
        assert_eq!(PAIRS.text(3), "INSERT INTO t VALUES (?,?),(?,?),(?,?) RETURNING id");
    }

    #[test]
    fn all_rows_are_one_statement_for_a_server() {
        static UPDATE: Bulk = Bulk::new("UPDATE t SET x = v.column2 FROM (VALUES ", 2, ") AS v WHERE t.id = v.column1");
        assert_eq!(
            UPDATE.text_at_once(["bigint[]", "text[]"].into_iter()),
            "UPDATE t SET x = v.column2 FROM (SELECT * FROM unnest($1::bigint[],$2::text[]) AS u(column1,column2)) AS v WHERE t.id = v.column1"
        );
    }

    #[test]
    fn every_row_is_in_one_chunk_of_a_known_size() {
        for count in [0, 1, 7, 8, 9, 63, 64, 65, 256, 300] {
            let rows: Vec<usize> = (0..count).collect();
            let chunks = chunks(&rows);
            assert!(chunks.iter().all(|chunk| CHUNKS.contains(&chunk.len())));
            assert_eq!(chunks.concat(), rows);
        }
    }
}
