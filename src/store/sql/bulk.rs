//! Many rows, few statements. A round trip to a driver costs as much as dozens of rows, so rows of a whole group of
//! operations go together, in a few fixed sizes so that each statement is prepared once.

use std::{fmt::Write, sync::OnceLock};

use super::db::{Connection, Query, Row, query};
use crate::store::StoreError;

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
    /// `head`: up to and with `VALUES `. `columns`: how many values a row has. `tail`: what follows the list.
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
            let before = match (number, number % self.columns) {
                (0, _) => "(",
                (_, 0) => "),(",
                _ => ",",
            };
            // Writing to a text does not fail.
            let _ = write!(sql, "{before}${}", number + 1);
        }
        sql.push(')');
        sql.push_str(self.tail);
        sql
    }

    /// Runs it over all rows.
    pub(super) async fn execute<'q, T>(
        &'static self,
        connection: &mut Connection,
        rows: &'q [T],
        bind: impl Fn(Query<'q>, &'q T) -> Query<'q>,
    ) -> Result<(), StoreError> {
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
    fn values_are_numbered_through_all_rows() {
        static PAIRS: Bulk = Bulk::new("INSERT INTO t VALUES ", 2, " RETURNING id");
        assert_eq!(PAIRS.text(1), "INSERT INTO t VALUES ($1,$2) RETURNING id");
        assert_eq!(PAIRS.text(3), "INSERT INTO t VALUES ($1,$2),($3,$4),($5,$6) RETURNING id");
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
