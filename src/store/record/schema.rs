//! Which schema a store has, and which programs work with it.

use serde::Serialize;

use crate::store::StoreError;

/// The schema that a store has, and the one that this version works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SchemaStep {
    /// The number of the schema that it has; 0: it has no tables.
    pub from: u64,
    /// The number of the schema that this version works with.
    pub to: u64,
}

impl SchemaStep {
    /// Whether there is nothing to do, also because a later version has done it.
    #[must_use]
    pub const fn is_current(self) -> bool {
        self.from >= self.to
    }
}

/// The key in `meta` under which the migration to a schema writes the oldest schema whose programs work with it, if it only adds: tables,
/// indexes, triggers that refuse what no program does, and columns that are null or have a default. Of existing tables, a new one may refer only to `tenant`, unless its rows are
/// deleted with those that they refer to: an older program's retention knows nothing of them. An older program can't read a new kind of
/// message or stored value, so a migration that introduces one writes no such key, and neither does the next schema without one: then no
/// older program is let in.
pub(in crate::store) fn usable_since_key(schema: i64) -> String {
    format!("usable_since.{schema}")
}

/// Whether a program that knows schemas up to `newest` works with a store of `schema`, of which `meta` says that.
///
/// # Errors
/// [`StoreError::Open`] if it does not, with what to do.
pub(in crate::store) fn admit(schema: i64, newest: i64, usable_since: Option<&str>) -> Result<(), StoreError> {
    let since = usable_since.and_then(|since| since.parse::<i64>().ok());
    if schema <= newest || since.is_some_and(|since| since <= newest) {
        return Ok(());
    }
    let what_to_use =
        since.map_or_else(|| "that version".to_owned(), |since| format!("a version that knows schema {since}"));
    Err(StoreError::Open(format!(
        "it was written by a newer version (schema {schema}, this one knows {newest}); use {what_to_use}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_program_works_with_a_schema_that_says_so() {
        for (schema, newest, usable_since, refused) in [
            (23, 23, None, None),
            (22, 23, None, None),
            (24, 23, None, Some("use that version")),
            (24, 23, Some("23"), None),
            (27, 23, Some("22"), None),
            (27, 23, Some("25"), Some("use a version that knows schema 25")),
            (27, 23, Some("?"), Some("(schema 27, this one knows 23); use that version")),
        ] {
            let admitted = admit(schema, newest, usable_since);
            match refused {
                None => assert_eq!(admitted, Ok(())),
                Some(part) => assert!(admitted.unwrap_err().to_string().contains(part), "{schema} {usable_since:?}"),
            }
        }
    }
}
