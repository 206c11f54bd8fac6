//! What a server's errors mean.

use crate::store::StoreError;

/// What it means while opening, where it is not a passing failure.
pub(super) fn at_open(error: &sqlx::Error) -> StoreError {
    let Some(refusal) = error.as_database_error() else {
        return StoreError::Open(match error {
            sqlx::Error::Io(error) => format!("the database server can't be reached: {error}"),
            _ => error.to_string(),
        });
    };
    let said = refusal.message();
    StoreError::Open(match refusal.code().as_deref() {
        Some("28P01" | "28000") => format!("the server refuses the role or its password: {said}"),
        Some("3D000") => format!("{said}; make it with `CREATE DATABASE`"),
        // Poolers accept few settings, and give a connection to another client after each transaction, with what was prepared on it.
        Some("42P05" | "26000") => behind_a_pooler(said),
        Some("08P01") if said.contains("startup parameter") => behind_a_pooler(said),
        Some("42501") => format!("the role may not do this: {said}; make it the owner of the database"),
        _ => said.to_owned(),
    })
}

fn behind_a_pooler(said: &str) -> String {
    format!("a pooler such as PgBouncer stands before the server ({said}); write the server's own address")
}
