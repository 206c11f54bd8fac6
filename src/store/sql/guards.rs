//! What keeps entries of the audit log as they are: triggers, in the database itself. Whoever may change the schema can remove them, so
//! they are looked for, and must be as they were made.

use super::db::{Dialect, Pool, query_as};
use crate::store::StoreError;

/// The triggers of the log in SQLite, each with its text.
pub(in crate::store) const SQLITE: &str =
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit'";

/// The triggers of the log in PostgreSQL that are on for every change of a row: when and for what they fire, whether on a condition, and
/// the text of what they do.
pub(in crate::store) const POSTGRES: &str = "SELECT t.tgname::text, format('%s %s %s', t.tgtype, t.tgqual IS NOT NULL, p.prosrc) \
    FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid \
    WHERE t.tgrelid = 'audit'::regclass AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgattr::text = ''";

/// The migrations that make the triggers in SQLite.
const MADE_IN_SQLITE: [&str; 2] =
    [include_str!("../sqlite/migrations/0017.sql"), include_str!("../sqlite/migrations/0027.sql")];
/// What each trigger in PostgreSQL is, as [`POSTGRES`] writes it, without what it does.
const IN_POSTGRES: [(&str, &str); 3] =
    [("audit_is_kept", "11 f"), ("audit_is_not_emptied", "34 f"), ("audit_is_unchanged", "19 t")];
/// The migration that makes them.
const MADE_IN_POSTGRES: &str = include_str!("../postgres/migrations/0020.sql");

/// The names of the triggers that are missing in a store, or are not as they were made.
pub(super) async fn missing_in(pool: &Pool) -> Result<Vec<String>, StoreError> {
    let dialect = pool.dialect();
    let sql = match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
    };
    let found: Vec<(String, String)> = query_as(sql).fetch_all(pool).await?;
    Ok(missing(dialect, &found))
}

/// The names of the triggers that are not among these, each with its text.
pub(in crate::store) fn missing(dialect: Dialect, found: &[(String, String)]) -> Vec<String> {
    let is_there = |(name, text): &(String, String)| found.iter().any(|(is, says)| is == name && says == text);
    made(dialect).into_iter().filter(|made| !is_there(made)).map(|(name, _)| name).collect()
}

/// The triggers as migrations make them.
fn made(dialect: Dialect) -> Vec<(String, String)> {
    match dialect {
        Dialect::Sqlite => MADE_IN_SQLITE.into_iter().flat_map(made_in_sqlite).collect(),
        Dialect::Postgres => {
            let body = MADE_IN_POSTGRES.split_once("FUNCTION audit_is_append_only()").map(|(_, rest)| rest);
            let body = body.and_then(|rest| rest.split("$$").nth(1)).unwrap_or_default();
            IN_POSTGRES.map(|(name, what)| (name.to_owned(), format!("{what} {body}"))).to_vec()
        }
    }
}

/// The triggers of the log in a migration, without the semicolon after them, as SQLite keeps them.
fn made_in_sqlite(migration: &str) -> Vec<(String, String)> {
    const BEGIN: &str = "CREATE TRIGGER ";
    const END: &str = "\nEND";
    let mut made = Vec::new();
    for (start, _) in migration.match_indices("CREATE TRIGGER audit_") {
        let text = &migration[start..];
        let name = text[BEGIN.len()..].split(' ').next().unwrap_or_default();
        if let Some(end) = text.find(END) {
            made.push((name.to_owned(), text[..end + END.len()].to_owned()));
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trigger_of_the_log_is_known_with_what_it_does() {
        for (dialect, names) in [
            (Dialect::Sqlite, &["audit_is_kept", "audit_is_unchanged", "audit_is_new"]),
            (Dialect::Postgres, &["audit_is_kept", "audit_is_not_emptied", "audit_is_unchanged"]),
        ] {
            let made = made(dialect);
            assert_eq!(made.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
            for (name, text) in &made {
                assert!(text.contains("'the audit log is append-only'"), "{name}: {text}");
            }
            assert_eq!(missing(dialect, &made), [""; 0]);
            assert_eq!(missing(dialect, &made[1..]), [names[0]]);
            let mut other = made.clone();
            other[1].1 = other[1].1.replace("append-only", "anybody's");
            assert_eq!(missing(dialect, &other), [names[1]]);
        }
    }
}
