//! What statements run on.

use sqlx::{PgConnection, SqliteConnection, SqlitePool};

use super::{dialect::Dialect, readers::Readers};

/// A connection that writes.
#[derive(Debug)]
pub(in crate::store) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Connections that only read, of either database.
#[derive(Debug, Clone)]
pub(in crate::store) enum Pool {
    Sqlite(SqlitePool),
    Postgres(Readers),
}

impl Connection {
    pub(in crate::store) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

impl Pool {
    pub(in crate::store) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(in crate::store) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Where a statement runs.
#[derive(Debug)]
pub(in crate::store) enum Via<'a> {
    Connection(&'a mut Connection),
    Pool(&'a Pool),
}

impl<'a> From<&'a mut Connection> for Via<'a> {
    fn from(connection: &'a mut Connection) -> Self {
        Self::Connection(connection)
    }
}

impl<'a> From<&'a Pool> for Via<'a> {
    fn from(pool: &'a Pool) -> Self {
        Self::Pool(pool)
    }
}
