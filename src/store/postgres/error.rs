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
        Some("42501") => format!("the role may not do this: {said}; make it the owner of the database"),
        _ => said.to_owned(),
    })
}

/// Whether an error says that the connection is gone, rather than that the server has refused something.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
        }
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => true,
        _ => false,
    }
}
