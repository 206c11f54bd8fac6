//! Which tables there are, as the database says: what erases a tenant looks into all of them, also into those that are yet to come.

use super::db::{Connection, Dialect, query_as, query_scalar};
use crate::store::StoreError;

/// A table that has texts.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    /// Its columns that are texts.
    pub(super) texts: Vec<String>,
    /// The columns by which a row is found.
    pub(super) keys: Vec<String>,
}

const TABLES_SQLITE: &str = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' \
    ORDER BY name = 'notification', name";
const TABLES_POSTGRES: &str = "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace \
    AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname = 'notification', relname COLLATE \"C\"";

const TEXTS_SQLITE: &str = "SELECT name FROM pragma_table_info($1) WHERE type IN ('TEXT', 'ANY') ORDER BY cid";
const TEXTS_POSTGRES: &str = "SELECT attname::text FROM pg_attribute WHERE attrelid = quote_ident($1)::regclass AND attnum > 0 \
    AND NOT attisdropped AND atttypid = 'text'::regtype ORDER BY attnum";

const KEYS_SQLITE: &str = "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk";
const KEYS_POSTGRES: &str = "SELECT a.attname::text FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid \
    AND a.attnum = ANY(i.indkey) WHERE i.indrelid = quote_ident($1)::regclass AND i.indisprimary ORDER BY a.attnum";

const REFERRING_SQLITE: &str = "SELECT t.name, f.\"from\" FROM pragma_table_list AS t JOIN pragma_foreign_key_list(t.name) AS f \
    WHERE f.\"table\" = $1 AND t.type = 'table' ORDER BY t.name";
const REFERRING_POSTGRES: &str = "SELECT t.relname::text, a.attname::text FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid \
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
    WHERE c.contype = 'f' AND c.confrelid = quote_ident($1)::regclass ORDER BY t.relname COLLATE \"C\"";

/// Every table that has texts. Messages come last.
pub(super) async fn tables(db: &mut Connection) -> Result<Vec<Table>, StoreError> {
    let (tables, texts, keys) = match db.dialect() {
        Dialect::Sqlite => (TABLES_SQLITE, TEXTS_SQLITE, KEYS_SQLITE),
        Dialect::Postgres => (TABLES_POSTGRES, TEXTS_POSTGRES, KEYS_POSTGRES),
    };
    let names: Vec<String> = query_scalar(tables).fetch_all(&mut *db).await?;
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let texts: Vec<String> = query_scalar(texts).bind(&name).fetch_all(&mut *db).await?;
        let keys: Vec<String> = query_scalar(keys).bind(&name).fetch_all(&mut *db).await?;
        if !texts.is_empty() {
            found.push(Table { name, texts, keys });
        }
    }
    Ok(found)
}

/// The tables and columns that refer to a table.
pub(super) async fn referring(db: &mut Connection, table: &str) -> Result<Vec<(String, String)>, StoreError> {
    let sql = match db.dialect() {
        Dialect::Sqlite => REFERRING_SQLITE,
        Dialect::Postgres => REFERRING_POSTGRES,
    };
    query_as(sql).bind(table).fetch_all(db).await
}
