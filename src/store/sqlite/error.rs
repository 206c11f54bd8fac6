//! What SQLite's result codes mean while a store is opened.

use crate::store::{StoreError, sql::db::sqlite_code};

/// Primary result codes ("Result and Error Codes", sqlite.org).
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const NOT_A_DATABASE: i32 = 26;

/// What it means while opening, where a bad file is not a passing failure.
pub(super) fn at_open(error: &sqlx::Error) -> StoreError {
    match sqlite_code(error).map(|code| code & 0xff) {
        Some(FULL) => StoreError::Full,
        Some(NOT_A_DATABASE) => StoreError::Open("the file is not a SQLite database".to_owned()),
        Some(CORRUPT) => StoreError::Open(format!("the database is damaged ({error}); restore a backup")),
        _ => StoreError::Open(error.to_string()),
    }
}
