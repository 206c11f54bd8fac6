//! Statements: built once, run on either database.

use std::{borrow::Cow, marker::PhantomData};

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use sqlx::{AssertSqlSafe, Postgres, Sqlite, postgres::PgArguments, sqlite::SqliteArguments};

use super::{
    connection::{Connection, Pool, Via},
    dialect::Dialect,
    error::is_unique_violation,
    limit::within_limit,
    row::{Columns, First, Row, Shape, Whole},
    value::{self, Bind, Value},
};
use crate::store::StoreError;

/// A statement with its values. `S`: what its rows are read as.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub(in crate::store) struct Query<'q, S = Whole> {
    sql: Cow<'static, str>,
    values: Vec<Value<'q>>,
    shape: PhantomData<fn() -> S>,
}

/// A statement whose rows are read one column at a time.
pub(in crate::store) fn query<'q>(sql: impl Into<Cow<'static, str>>) -> Query<'q> {
    Query { sql: sql.into(), values: Vec::new(), shape: PhantomData }
}

/// A statement of whose rows only the first column is read.
pub(in crate::store) fn query_scalar<'q, T>(sql: impl Into<Cow<'static, str>>) -> Query<'q, First<T>> {
    Query { sql: sql.into(), values: Vec::new(), shape: PhantomData }
}

/// A statement whose rows are read as tuples.
pub(in crate::store) fn query_as<'q, T>(sql: impl Into<Cow<'static, str>>) -> Query<'q, Columns<T>> {
    Query { sql: sql.into(), values: Vec::new(), shape: PhantomData }
}

/// What a statement that returns no rows did.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Done {
    rows: u64,
}

impl Done {
    /// How many rows it wrote or removed.
    pub(in crate::store) const fn rows_affected(self) -> u64 {
        self.rows
    }
}

/// Runs a statement where it is to run, and makes what it returns the same type.
macro_rules! run {
    ($query:ident, $via:ident, $method:ident, $made:expr) => {
        match $via.into() {
            Via::Connection(Connection::Sqlite(on)) => {
                $query.sqlite()?.$method(&mut *on).await.map($made(Row::Sqlite))?
            }
            Via::Connection(Connection::Postgres(on)) => {
                within_limit($query.postgres()?.$method(&mut *on)).await.map($made(Row::Postgres))?
            }
            Via::Pool(Pool::Sqlite(on)) => $query.sqlite()?.$method(on).await.map($made(Row::Sqlite))?,
            Via::Pool(Pool::Postgres(on)) => {
                let asked = on.run($query.postgres()?, |query, on| Box::pin(query.$method(on)));
                asked.await.map($made(Row::Postgres))?
            }
        }
    };
}

impl<'q> Query<'q> {
    /// The values that are bound.
    pub(in crate::store) fn into_values(self) -> Vec<Value<'q>> {
        self.values
    }
}

impl<'q, S: Shape> Query<'q, S> {
    /// Binds the next value.
    pub(in crate::store) fn bind(mut self, value: impl Bind<'q>) -> Self {
        self.values.push(value.value());
        self
    }

    fn sqlite(self) -> Result<sqlx::query::Query<'static, Sqlite, SqliteArguments>, StoreError> {
        let sql = Dialect::Sqlite.text(self.sql);
        Ok(sqlx::query_with(AssertSqlSafe(sql), value::sqlite(self.values)?))
    }

    fn postgres(self) -> Result<sqlx::query::Query<'static, Postgres, PgArguments>, StoreError> {
        let sql = Dialect::Postgres.text(self.sql);
        Ok(sqlx::query_with(AssertSqlSafe(sql), value::postgres(self.values)?))
    }

    /// Runs it for what it does.
    pub(in crate::store) async fn execute(self, via: impl Into<Via<'_>>) -> Result<Done, StoreError> {
        let rows = match via.into() {
            Via::Connection(Connection::Sqlite(on)) => self.sqlite()?.execute(&mut *on).await?.rows_affected(),
            Via::Connection(Connection::Postgres(on)) => {
                within_limit(self.postgres()?.execute(&mut *on)).await?.rows_affected()
            }
            Via::Pool(Pool::Sqlite(on)) => self.sqlite()?.execute(on).await?.rows_affected(),
            Via::Pool(Pool::Postgres(on)) => {
                on.run(self.postgres()?, |query, on| Box::pin(query.execute(on))).await?.rows_affected()
            }
        };
        Ok(Done { rows })
    }

    /// Runs it for what it does. `None`: there is another row with what must be unique.
    pub(in crate::store) async fn execute_unless_taken(
        self,
        connection: &mut Connection,
    ) -> Result<Option<Done>, StoreError> {
        let done = match connection {
            Connection::Sqlite(on) => self.sqlite()?.execute(on).await.map(|done| done.rows_affected()),
            Connection::Postgres(on) => {
                within_limit(self.postgres()?.execute(on)).await.map(|done| done.rows_affected())
            }
        };
        match done {
            Ok(rows) => Ok(Some(Done { rows })),
            Err(error) if is_unique_violation(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All of its rows.
    pub(in crate::store) async fn fetch_all(self, via: impl Into<Via<'_>>) -> Result<Vec<S::Out>, StoreError> {
        run!(self, via, fetch_all, all::<_, S>)
    }

    /// The only row; an error if there is none.
    pub(in crate::store) async fn fetch_one(self, via: impl Into<Via<'_>>) -> Result<S::Out, StoreError> {
        run!(self, via, fetch_one, one::<_, S>)
    }

    /// Its only row, if there is one.
    pub(in crate::store) async fn fetch_optional(self, via: impl Into<Via<'_>>) -> Result<Option<S::Out>, StoreError> {
        run!(self, via, fetch_optional, at_most_one::<_, S>)
    }

    /// Its rows, as they come, however long that takes.
    pub(in crate::store) fn stream(
        self,
        connection: &mut Connection,
    ) -> Result<BoxStream<'_, Result<S::Out, StoreError>>, StoreError>
    where
        S: 'static,
    {
        let rows = match connection {
            Connection::Sqlite(on) => self.sqlite()?.fetch(on).map_ok(Row::Sqlite).boxed(),
            Connection::Postgres(on) => self.postgres()?.fetch(on).map_ok(Row::Postgres).boxed(),
        };
        Ok(rows.map(|row| S::read(row?)).boxed())
    }

    /// Its rows, as they come.
    pub(in crate::store) fn fetch<'a>(self, pool: &'a Pool) -> BoxStream<'a, Result<S::Out, StoreError>>
    where
        S: 'a,
    {
        let opened = match pool {
            Pool::Sqlite(on) => self.sqlite().map(|query| query.fetch(on).map_ok(Row::Sqlite).boxed()),
            Pool::Postgres(on) => self.postgres().map(|query| on.stream(query).map_ok(Row::Postgres).boxed()),
        };
        match opened {
            Ok(rows) => rows.map(|row| S::read(row?)).boxed(),
            Err(error) => futures_util::stream::once(async { Err(error) }).boxed(),
        }
    }
}

fn all<R, S: Shape>(wrap: fn(R) -> Row) -> impl Fn(Vec<R>) -> Result<Vec<S::Out>, StoreError> {
    move |rows| rows.into_iter().map(|row| S::read(wrap(row))).collect()
}

fn one<R, S: Shape>(wrap: fn(R) -> Row) -> impl Fn(R) -> Result<S::Out, StoreError> {
    move |row| S::read(wrap(row))
}

fn at_most_one<R, S: Shape>(wrap: fn(R) -> Row) -> impl Fn(Option<R>) -> Result<Option<S::Out>, StoreError> {
    move |row| row.map(|row| S::read(wrap(row))).transpose()
}
