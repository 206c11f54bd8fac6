//! What statements return.

use std::marker::PhantomData;

use sqlx::{ColumnIndex, Decode, Row as _, Type, TypeInfo, ValueRef, postgres::PgRow, sqlite::SqliteRow};

use super::value::Value;
use crate::store::StoreError;

/// A row that a statement returned.
#[derive(Debug)]
pub(in crate::store) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// The name or the place of a column.
pub(in crate::store) trait Index: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> {}

impl<T: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>> Index for T {}

/// A type that a column can be read as.
pub(in crate::store) trait Get<'r>: Sized {
    fn get(row: &'r Row, column: impl Index) -> Result<Self, sqlx::Error>;
}

impl Row {
    /// Reads a column, by name or by place.
    pub(in crate::store) fn try_get<'r, T: Get<'r>, I: Index>(&'r self, column: I) -> Result<T, StoreError> {
        T::get(self, column).map_err(StoreError::from)
    }

    /// Reads a column as whatever it is: a number, a text or bytes.
    pub(in crate::store) fn value(&self, column: usize) -> Result<Value<'static>, StoreError> {
        let kind = match self {
            Self::Sqlite(row) => row.try_get_raw(column)?.type_info().name().to_owned(),
            Self::Postgres(row) => row.try_get_raw(column)?.type_info().name().to_owned(),
        };
        Ok(match kind.as_str() {
            "INTEGER" | "INT8" => Value::Int(self.try_get(column)?),
            "BLOB" | "BYTEA" => Value::Bytes(self.try_get::<Option<Vec<u8>>, _>(column)?.map(Into::into)),
            _ => Value::Text(self.try_get::<Option<String>, _>(column)?.map(Into::into)),
        })
    }
}

fn same<'r, T, I: Index>(row: &'r Row, column: I) -> Result<T, sqlx::Error>
where
    T: Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite> + Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>,
{
    match row {
        Row::Sqlite(row) => row.try_get(column),
        Row::Postgres(row) => row.try_get(column),
    }
}

macro_rules! get {
    ($($type:ty),*) => {$(
        impl<'r> Get<'r> for $type {
            fn get(row: &'r Row, column: impl Index) -> Result<Self, sqlx::Error> {
                same(row, column)
            }
        }
        impl<'r> Get<'r> for Option<$type> {
            fn get(row: &'r Row, column: impl Index) -> Result<Self, sqlx::Error> {
                same(row, column)
            }
        }
    )*};
}

get!(f64, String, &'r str, Vec<u8>, &'r [u8]);

/// A number of whatever width. What is true is 1.
fn number(row: &PgRow, column: impl Index) -> Result<Option<i64>, sqlx::Error> {
    let kind = row.try_get_raw(&column)?.type_info().name().to_owned();
    Ok(match kind.as_str() {
        "INT4" => row.try_get::<Option<i32>, _>(column)?.map(i64::from),
        "BOOL" => row.try_get::<Option<bool>, _>(column)?.map(i64::from),
        _ => row.try_get(column)?,
    })
}

impl<'r> Get<'r> for Option<i64> {
    fn get(row: &'r Row, column: impl Index) -> Result<Self, sqlx::Error> {
        match row {
            Row::Sqlite(row) => row.try_get(column),
            Row::Postgres(row) => number(row, column),
        }
    }
}

impl<'r> Get<'r> for i64 {
    fn get(row: &'r Row, column: impl Index) -> Result<Self, sqlx::Error> {
        match row {
            Row::Sqlite(row) => row.try_get(column),
            Row::Postgres(row) => number(row, column)?.ok_or_else(|| sqlx::Error::Decode("unexpected null".into())),
        }
    }
}

impl<'r> Get<'r> for bool {
    fn get(row: &'r Row, column: impl Index) -> Result<Self, sqlx::Error> {
        i64::get(row, column).map(|number| number != 0)
    }
}

/// What a statement's rows are read as.
pub(in crate::store) trait Shape {
    type Out: Send;
    fn read(row: Row) -> Result<Self::Out, StoreError>;
}

/// The row as it is.
#[derive(Debug)]
pub(in crate::store) struct Whole;

/// Reads the first column of each row.
#[derive(Debug)]
pub(in crate::store) struct First<T>(PhantomData<T>);

/// Reads as many columns as the tuple has places.
#[derive(Debug)]
pub(in crate::store) struct Columns<T>(PhantomData<T>);

impl Shape for Whole {
    type Out = Row;

    fn read(row: Row) -> Result<Row, StoreError> {
        Ok(row)
    }
}

impl<T: for<'r> Get<'r> + Send> Shape for First<T> {
    type Out = T;

    fn read(row: Row) -> Result<T, StoreError> {
        row.try_get(0)
    }
}

/// The first columns as a tuple.
pub(in crate::store) trait Tuple: Sized {
    fn read(row: &Row) -> Result<Self, StoreError>;
}

impl<T: Tuple + Send> Shape for Columns<T> {
    type Out = T;

    fn read(row: Row) -> Result<T, StoreError> {
        T::read(&row)
    }
}

macro_rules! tuple {
    ($($name:ident: $place:literal),*) => {
        impl<$($name: for<'r> Get<'r>),*> Tuple for ($($name,)*) {
            fn read(row: &Row) -> Result<Self, StoreError> {
                Ok(($(row.try_get::<$name, _>($place)?,)*))
            }
        }
    };
}

tuple!(A: 0, B: 1);
tuple!(A: 0, B: 1, C: 2);
tuple!(A: 0, B: 1, C: 2, D: 3, E: 4);
