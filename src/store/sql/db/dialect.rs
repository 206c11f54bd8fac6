//! What the databases write differently. Statements name it, and each database gets its own text:
//!
//! | statement | SQLite | PostgreSQL |
//! | --- | --- | --- |
//! | `x IN list($1)` | `x IN (SELECT value FROM json_each($1))` | `x = ANY($1)` |
//! | `x NOT IN list($1)` | `x NOT IN (SELECT value FROM json_each($1))` | `x <> ALL($1)` |
//! | `FROM list($1) AS v` | `FROM json_each($1) AS v` | `FROM unnest($1) AS v(value)` |
//! | `pairs($1) AS v` | a table of `key` and `value` from a list of pairs | the same |
//! | `greatest(a, b)`, `least(a, b)` | `max(a, b)`, `min(a, b)` | as written |
//! | `strpos(text, part)` | `instr(text, part)` | as written |
//!
//! A list is bound with [`list_of`](super::list_of), pairs are bound with [`pairs`](super::pairs). Truth is a number in every column and
//! parameter: `is_over = 1`. Whatever differs by more than a word is two statements, chosen by [`Dialect`].

use std::borrow::Cow;

/// How a database writes what the other one writes differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    Sqlite,
    Postgres,
}

const LIST: &str = "list(";
const PAIRS: &str = "pairs(";
/// Functions that have another name in SQLite.
const FUNCTIONS: [(&str, &str); 3] = [("greatest(", "max("), ("least(", "min("), ("strpos(", "instr(")];

impl Dialect {
    /// The text that this database understands.
    pub(super) fn text(self, sql: Cow<'static, str>) -> Cow<'static, str> {
        let mut sql = sql;
        if self == Self::Sqlite {
            for (name, here) in FUNCTIONS {
                if sql.contains(name) {
                    sql = Cow::Owned(sql.replace(name, here));
                }
            }
        }
        for name in [LIST, PAIRS] {
            while let Some(fragment) = Fragment::find(&sql, name) {
                sql = Cow::Owned(fragment.replaced(&sql, self));
            }
        }
        sql
    }
}

/// A named part of a statement.
struct Fragment<'a> {
    name: &'a str,
    start: usize,
    parameter: &'a str,
}

impl<'a> Fragment<'a> {
    fn find(sql: &'a str, name: &'a str) -> Option<Self> {
        let mut from = 0;
        while let Some(found) = sql[from..].find(name) {
            let start = from + found;
            let rest = &sql[start + name.len()..];
            let is_word = start == 0 || !sql.as_bytes()[start - 1].is_ascii_alphanumeric();
            if let Some(end) = rest.find(')').filter(|_| is_word && rest.starts_with('$')) {
                return Some(Self { name, start, parameter: &rest[..end] });
            }
            from = start + name.len();
        }
        None
    }

    fn replaced(&self, sql: &str, dialect: Dialect) -> String {
        let Self { name, start, parameter } = *self;
        let (mut before, after) = (&sql[..start], &sql[start + name.len() + parameter.len() + 1..]);
        let here = match (name, dialect, before.ends_with("IN ")) {
            (LIST, Dialect::Sqlite, true) => format!("(SELECT value FROM json_each({parameter}))"),
            (LIST, Dialect::Sqlite, false) => format!("json_each({parameter})"),
            (LIST, Dialect::Postgres, true) => {
                let is_among = before.strip_suffix("NOT IN ").is_none();
                before = before.trim_end_matches("IN ").trim_end_matches("NOT ");
                if is_among { format!("= ANY({parameter})") } else { format!("<> ALL({parameter})") }
            }
            (LIST, Dialect::Postgres, false) => {
                // The name that follows takes the one of its column with it.
                let alias = after.strip_prefix(" AS ").unwrap_or_default();
                let alias = &alias[..alias.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(alias.len())];
                let rest = &after[" AS ".len() + alias.len()..];
                return format!("{before}unnest({parameter}) AS {alias}(value){rest}");
            }
            (_, Dialect::Sqlite, _) => {
                format!("(SELECT value ->> 0 AS key, value ->> 1 AS value FROM json_each({parameter}))")
            }
            (_, Dialect::Postgres, _) => format!(
                "(SELECT e.pair ->> 0 AS key, e.pair ->> 1 AS value FROM json_array_elements({parameter}::json) AS e(pair))"
            ),
        };
        format!("{before}{here}{after}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_gets_its_own_text() {
        for (sql, sqlite, postgres) in [
            ("SELECT max(a) FROM t", "SELECT max(a) FROM t", "SELECT max(a) FROM t"),
            ("SET a = greatest(a, $1)", "SET a = max(a, $1)", "SET a = greatest(a, $1)"),
            ("strpos(a, $1) > least(b, 1)", "instr(a, $1) > min(b, 1)", "strpos(a, $1) > least(b, 1)"),
            ("a IN list($2) OR b", "a IN (SELECT value FROM json_each($2)) OR b", "a = ANY($2) OR b"),
            ("a NOT IN list($12)", "a NOT IN (SELECT value FROM json_each($12))", "a <> ALL($12)"),
            (
                "FROM list($1) AS v WHERE v.value",
                "FROM json_each($1) AS v WHERE v.value",
                "FROM unnest($1) AS v(value) WHERE v.value",
            ),
            (
                "a IN list($1) AND b IN list($1)",
                "a IN (SELECT value FROM json_each($1)) AND b IN (SELECT value FROM json_each($1))",
                "a = ANY($1) AND b = ANY($1)",
            ),
        ] {
            assert_eq!(Dialect::Sqlite.text(sql.into()), sqlite);
            assert_eq!(Dialect::Postgres.text(sql.into()), postgres);
        }
    }
}
