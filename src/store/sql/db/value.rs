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
    /// Its absence.
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
