//! What is bound to a statement.

use std::borrow::Cow;

use sqlx::{Arguments, postgres::PgArguments, sqlite::SqliteArguments};

use crate::{
    domain::{ChannelName, TenantId},
    notify::{DeliveryId, NotificationId},
    store::StoreError,
};

/// A value of a parameter. What is absent has a type too, which PostgreSQL wants to know.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum Value<'q> {
    Int(Option<i64>),
    Float(Option<f64>),
    Text(Option<Cow<'q, str>>),
    Bytes(Option<Cow<'q, [u8]>>),
    List(Option<Cow<'q, List>>),
    /// A column of many rows, for PostgreSQL.
    Column(Column<'q>),
}

/// What stands in one column of many rows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum Column<'q> {
    Ints(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
    Texts(Vec<Option<Cow<'q, str>>>),
    Bytes(Vec<Option<Cow<'q, [u8]>>>),
}

impl<'q> Column<'q> {
    /// A column that begins with that value; `None`: there is no column of such.
    fn beginning_with(value: &Value<'q>, rows: usize) -> Option<Self> {
        Some(match value {
            Value::Int(_) => Self::Ints(Vec::with_capacity(rows)),
            Value::Float(_) => Self::Floats(Vec::with_capacity(rows)),
            Value::Text(_) => Self::Texts(Vec::with_capacity(rows)),
            Value::Bytes(_) => Self::Bytes(Vec::with_capacity(rows)),
            Value::List(_) | Value::Column(_) => return None,
        })
    }

    /// Adds a value. `false`: it is of another type.
    fn add(&mut self, value: Value<'q>) -> bool {
        match (self, value) {
            (Self::Ints(column), Value::Int(value)) => column.push(value),
            (Self::Floats(column), Value::Float(value)) => column.push(value),
            (Self::Texts(column), Value::Text(value)) => column.push(value.map(without_nul)),
            (Self::Bytes(column), Value::Bytes(value)) => column.push(value),
            _ => return false,
        }
        true
    }

    /// The name of the type in PostgreSQL.
    pub(in crate::store) const fn type_name(&self) -> &'static str {
        match self {
            Self::Ints(_) => "bigint[]",
            Self::Floats(_) => "double precision[]",
            Self::Texts(_) => "text[]",
            Self::Bytes(_) => "bytea[]",
        }
    }
}

/// Turns rows of that many values, one behind the other, into columns.
pub(in crate::store) fn columns(values: Vec<Value<'_>>, width: usize) -> Result<Vec<Column<'_>>, StoreError> {
    let mixed = || StoreError::Failed("the values of a column are of different types; this is a bug".to_owned());
    let rows = values.len() / width.max(1);
    let mut columns: Vec<Column<'_>> = Vec::with_capacity(width);
    for (place, value) in values.into_iter().enumerate() {
        if columns.len() < width {
            columns.push(Column::beginning_with(&value, rows).ok_or_else(mixed)?);
        }
        if !columns.get_mut(place % width).ok_or_else(mixed)?.add(value) {
            return Err(mixed());
        }
    }
    Ok(columns)
}

impl From<List> for Value<'_> {
    fn from(list: List) -> Self {
        Self::List(Some(Cow::Owned(list)))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

/// A list as one parameter: an array in PostgreSQL, JSON in SQLite.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum List {
    Ints(Vec<i64>),
    Texts(Vec<Option<String>>),
}

/// Something that can be bound.
pub(in crate::store) trait Bind<'q> {
    fn value(self) -> Value<'q>;
    /// What stands for the absence of such a value.
    fn null() -> Value<'q>;
}

macro_rules! bind {
    ($($type:ty: $variant:ident, |$it:ident| $made:expr;)*) => {$(
        impl<'q> Bind<'q> for $type {
            fn value(self) -> Value<'q> {
                let $it = self;
                Value::$variant(Some($made))
            }
            fn null() -> Value<'q> {
                Value::$variant(None)
            }
        }
    )*};
}

bind! {
    i64: Int, |it| it;
    &i64: Int, |it| *it;
    u32: Int, |it| i64::from(it);
    bool: Int, |it| i64::from(it);
    f64: Float, |it| it;
    &'q str: Text, |it| Cow::Borrowed(it);
    &'q String: Text, |it| Cow::Borrowed(it.as_str());
    String: Text, |it| Cow::Owned(it);
    &'q [u8]: Bytes, |it| Cow::Borrowed(it);
    Vec<u8>: Bytes, |it| Cow::Owned(it);
    List: List, |it| Cow::Owned(it);
    &'q List: List, |it| Cow::Borrowed(it);
}

impl<'q, T: Bind<'q>> Bind<'q> for Option<T> {
    fn value(self) -> Value<'q> {
        self.map_or_else(T::null, T::value)
    }

    fn null() -> Value<'q> {
        T::null()
    }
}

impl<'q> Bind<'q> for &'q Option<String> {
    fn value(self) -> Value<'q> {
        Value::Text(self.as_deref().map(Cow::Borrowed))
    }

    fn null() -> Value<'q> {
        Value::Text(None)
    }
}

impl<'q> Bind<'q> for Value<'q> {
    fn value(self) -> Self {
        self
    }

    fn null() -> Self {
        Value::Text(None)
    }
}

/// Something that a list can have.
pub(in crate::store) trait Element: Sized {
    fn gathered(items: impl Iterator<Item = Self>) -> List;
}

macro_rules! element {
    ($($type:ty: $variant:ident, |$it:ident| $made:expr;)*) => {$(
        impl Element for $type {
            fn gathered(items: impl Iterator<Item = Self>) -> List {
                List::$variant(items.map(|$it| $made).collect())
            }
        }
    )*};
}

element! {
    i64: Ints, |it| it;
    &i64: Ints, |it| *it;
    DeliveryId: Ints, |it| it.0;
    &DeliveryId: Ints, |it| it.0;
    String: Texts, |it| Some(it);
    &str: Texts, |it| Some(it.to_owned());
    &String: Texts, |it| Some(it.clone());
    Option<&str>: Texts, |it| it.map(str::to_owned);
    &TenantId: Texts, |it| Some(it.to_string());
    &ChannelName: Texts, |it| Some(it.to_string());
    &NotificationId: Texts, |it| Some(it.as_str().to_owned());
}

/// A list as one parameter.
pub(in crate::store) fn list_of<T: Element>(items: impl IntoIterator<Item = T>) -> List {
    T::gathered(items.into_iter())
}

/// Pairs as one parameter.
pub(in crate::store) fn pairs<K: ToString, V: ToString>(
    items: impl IntoIterator<Item = (K, V)>,
) -> Result<String, StoreError> {
    let items: Vec<_> = items.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    serde_json::to_string(&items).map_err(|error| StoreError::Failed(format!("a value can't be written: {error}")))
}

impl List {
    fn json(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Ints(numbers) => serde_json::to_string(numbers),
            Self::Texts(texts) => serde_json::to_string(texts),
        }
    }
}

type Added = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The values as SQLite takes them.
pub(super) fn sqlite(values: Vec<Value<'_>>) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added: Added = match value {
            Value::Int(number) => arguments.add(number),
            Value::Float(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text.map(Cow::into_owned)),
            Value::Bytes(bytes) => arguments.add(bytes.map(Cow::into_owned)),
            Value::Column(_) => Err("SQLite has no columns as values".into()),
            Value::List(list) => {
                list.map(|list| list.json()).transpose().map_err(Into::into).and_then(|text| arguments.add(text))
            }
        };
        added.map_err(|error| unbound(&*error))?;
    }
    Ok(arguments)
}

/// The values as PostgreSQL takes them.
pub(super) fn postgres(values: Vec<Value<'_>>) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added: Added = match value {
            Value::Int(number) => arguments.add(number),
            Value::Float(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text.map(without_nul)),
            Value::Bytes(bytes) => arguments.add(bytes.as_deref()),
            Value::Column(Column::Ints(column)) => arguments.add(column),
            Value::Column(Column::Floats(column)) => arguments.add(column),
            Value::Column(Column::Texts(column)) => arguments.add(column),
            Value::Column(Column::Bytes(column)) => {
                arguments.add(column.iter().map(Option::as_deref).collect::<Vec<Option<&[u8]>>>())
            }
            Value::List(None) => arguments.add(None::<Vec<String>>),
            Value::List(Some(list)) => match &*list {
                List::Ints(numbers) => arguments.add(numbers.as_slice()),
                List::Texts(texts) => arguments.add(texts.as_slice()),
            },
        };
        added.map_err(|error| unbound(&*error))?;
    }
    Ok(arguments)
}

/// PostgreSQL has no text with U+0000.
fn without_nul(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text }
}

fn unbound(error: &(dyn std::error::Error + Send + Sync)) -> StoreError {
    StoreError::Failed(format!("a value can't be bound: {error}"))
}
