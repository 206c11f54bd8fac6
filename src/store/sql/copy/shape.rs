//! Which tables there are to copy, in an order in which every row finds what it refers to.

use std::collections::{BTreeMap, BTreeSet};

use super::super::db::{Connection, Dialect, Row, Value, query, query_as, query_scalar};
use crate::store::StoreError;

/// What a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Float,
    Text,
    Bytes,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A table, as PostgreSQL has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The column whose numbers the database draws.
    pub(super) numbered: Option<String>,
}

impl Kind {
    fn of(type_name: &str) -> Result<Self, StoreError> {
        match type_name {
            "bigint" => Ok(Self::Int),
            "double precision" => Ok(Self::Float),
            "text" => Ok(Self::Text),
            "bytea" => Ok(Self::Bytes),
            other => Err(StoreError::Failed(format!("a column is of a type that can't be copied: {other}"))),
        }
    }

    /// What stands in a column, as both databases can have it: PostgreSQL has no text with U+0000, SQLite no negative zero.
    pub(super) fn read(self, row: &Row, place: usize) -> Result<Value<'static>, StoreError> {
        Ok(match self {
            Self::Int => Value::Int(row.try_get(place)?),
            Self::Float => Value::Float(row.try_get::<Option<f64>, _>(place)?.map(|number| number + 0.0)),
            Self::Text => {
                let text: Option<String> = row.try_get(place)?;
                Value::Text(text.map(|text| text.replace('\0', "\u{fffd}").into()))
            }
            Self::Bytes => Value::Bytes(row.try_get::<Option<Vec<u8>>, _>(place)?.map(Into::into)),
        })
    }
}

impl Shape {
    /// The names of its columns, as they stand in a statement.
    pub(super) fn list(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        names.join(",")
    }
}

/// Every table that both databases have, parents before children.
pub(super) async fn shapes(one: &mut Connection, other: &mut Connection) -> Result<Vec<Shape>, StoreError> {
    let (postgres, sqlite) = match (one.dialect(), other.dialect()) {
        (Dialect::Postgres, Dialect::Sqlite) => (one, other),
        (Dialect::Sqlite, Dialect::Postgres) => (other, one),
        _ => return Err(StoreError::Refused("both stores are in the same kind of database".to_owned())),
    };
    let shapes = of_postgres(postgres).await?;
    compare(&shapes, sqlite).await?;
    let parents: Vec<(String, String)> = query_as(PARENTS).fetch_all(postgres).await?;
    ordered(shapes, &parents)
}

/// The tables of a store; who works on it and the number of the schema are the database's own.
const COLUMNS: &str = "SELECT t.relname::text, a.attname::text, format_type(a.atttypid, NULL), (a.attidentity <> '')::int \
    FROM pg_class AS t JOIN pg_attribute AS a ON a.attrelid = t.oid WHERE t.relnamespace = current_schema()::regnamespace \
    AND t.relkind IN ('r', 'p') AND NOT t.relispartition AND a.attnum > 0 AND NOT a.attisdropped \
    AND t.relname NOT IN ('writer', 'schema_version', 'replica', 'shard') ORDER BY t.relname COLLATE \"C\", a.attnum";
const PARENTS: &str = "SELECT t.relname::text, p.relname::text FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid \
    JOIN pg_class AS p ON p.oid = c.confrelid WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace";

async fn of_postgres(on: &mut Connection) -> Result<Vec<Shape>, StoreError> {
    let mut shapes: Vec<Shape> = Vec::new();
    for row in query(COLUMNS).fetch_all(on).await? {
        let (table, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let column = Column { kind: Kind::of(row.try_get(2)?)?, name };
        if shapes.last().is_none_or(|last| last.name != table) {
            shapes.push(Shape { name: table, columns: Vec::new(), numbered: None });
        }
        let Some(shape) = shapes.last_mut() else { continue };
        if row.try_get::<bool, _>(3)? {
            shape.numbered = Some(column.name.clone());
        }
        shape.columns.push(column);
    }
    Ok(shapes)
}

/// Makes sure that nothing is left out: SQLite has the same tables and columns. It numbers the rows of some tables without a column.
async fn compare(shapes: &[Shape], sqlite: &mut Connection) -> Result<(), StoreError> {
    let tables: Vec<String> = query_scalar(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'",
    )
    .fetch_all(&mut *sqlite)
    .await?;
    let mut theirs = BTreeMap::new();
    for table in tables {
        let columns: Vec<String> =
            query_scalar("SELECT name FROM pragma_table_info($1)").bind(&table).fetch_all(&mut *sqlite).await?;
        theirs.insert(table, columns.into_iter().collect::<BTreeSet<_>>());
    }
    let columns = |shape: &Shape| {
        let names = shape.columns.iter().map(|column| column.name.clone());
        names.filter(|name| name != "rowid").collect::<BTreeSet<_>>()
    };
    let ours: BTreeMap<_, _> = shapes.iter().map(|shape| (shape.name.clone(), columns(shape))).collect();
    if ours == theirs {
        return Ok(());
    }
    let differs = ours.iter().find(|(table, columns)| theirs.get(*table) != Some(columns)).map(|(table, _)| table);
    let missing = theirs.keys().find(|table| !ours.contains_key(*table));
    let table = differs.or(missing).map_or("", String::as_str);
    Err(StoreError::Failed(format!("the databases have the table `{table}` in different forms; this is a bug")))
}

fn ordered(shapes: Vec<Shape>, parents: &[(String, String)]) -> Result<Vec<Shape>, StoreError> {
    let (mut waiting, mut done) = (shapes, Vec::new());
    while !waiting.is_empty() {
        let names: BTreeSet<String> = waiting.iter().map(|shape| shape.name.clone()).collect();
        let waits = |shape: &Shape| {
            parents.iter().any(|(child, parent)| *child == shape.name && parent != child && names.contains(parent))
        };
        let (later, now): (Vec<_>, Vec<_>) = waiting.into_iter().partition(waits);
        if now.is_empty() {
            return Err(StoreError::Failed("tables refer to each other in a circle; this is a bug".to_owned()));
        }
        done.extend(now);
        waiting = later;
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(name: &str) -> Shape {
        Shape { name: name.to_owned(), columns: Vec::new(), numbered: None }
    }

    #[test]
    fn parents_come_before_their_children_and_a_circle_is_refused() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> =
                pairs.iter().map(|(child, parent)| ((*child).to_owned(), (*parent).to_owned())).collect();
            let ordered = ordered(["a", "b", "c", "d"].map(shape).to_vec(), &pairs).ok()?;
            Some(ordered.into_iter().map(|shape| shape.name).collect::<Vec<_>>().concat())
        };
        assert_eq!(of(&[]).as_deref(), Some("abcd"));
        assert_eq!(of(&[("a", "c"), ("c", "d"), ("b", "b")]).as_deref(), Some("bdca"));
        assert_eq!(of(&[("a", "c"), ("c", "a")]), None);
    }
}
