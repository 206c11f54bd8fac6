//! Many rows, few statements. A round trip to sqlx's worker thread costs as much as dozens of rows, so rows of a whole group of
//! operations go together, in a few fixed sizes so that each statement is prepared once.

use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments, sqlite::SqliteRow};

use crate::store::StoreError;

/// Rows of one statement, largest first; the last is 1.
const CHUNKS: [usize; 3] = [64, 8, 1];

/// A query being bound.
pub(super) type Bound = Query<'static, Sqlite, SqliteArguments>;

/// A statement around a `VALUES` list.
pub(super) struct Bulk {
    /// Up to and with `VALUES `.
    pub(super) head: &'static str,
    /// The placeholders of one row in the statement.
    pub(super) row: &'static str,
    /// What follows the list.
    pub(super) tail: &'static str,
}

impl Bulk {
    fn statement(&self, rows: usize) -> Bound {
        let mut sql = String::with_capacity(self.head.len() + rows * (self.row.len() + 1) + self.tail.len());
        sql.push_str(self.head);
        for index in 0..rows {
            if index > 0 {
                sql.push(',');
            }
            sql.push_str(self.row);
        }
        sql.push_str(self.tail);
        sqlx::query(AssertSqlSafe(sql))
    }

    /// Runs it over all rows.
    pub(super) async fn execute<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(Bound, &T) -> Bound,
    ) -> Result<(), StoreError> {
        for chunk in chunks(rows) {
            chunk.iter().fold(self.statement(chunk.len()), &bind).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Runs it over all rows and collects what it returns, in no particular order.
    pub(super) async fn fetch<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(Bound, &T) -> Bound,
    ) -> Result<Vec<SqliteRow>, StoreError> {
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
    fn every_row_is_in_one_chunk_of_a_known_size() {
        for count in [0, 1, 7, 8, 9, 63, 64, 65, 256, 300] {
            let rows: Vec<usize> = (0..count).collect();
            let chunks = chunks(&rows);
            assert!(chunks.iter().all(|chunk| CHUNKS.contains(&chunk.len())));
            assert_eq!(chunks.concat(), rows);
        }
    }
}
