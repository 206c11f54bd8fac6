//! What SQLite's result codes mean to a caller.

use sqlx::error::DatabaseError;

use crate::store::StoreError;

/// Primary result codes ("Result and Error Codes", sqlite.org).
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const NOT_A_DATABASE: i32 = 26;
/// `SQLITE_IOERR_SHMSIZE`: the shared memory file could not grow, which happens only on a full disk.
const NO_ROOM_FOR_SHM: i32 = 4874;

pub(super) fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error().and_then(DatabaseError::code).and_then(|code| code.parse().ok())
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match code(&error) {
            Some(NO_ROOM_FOR_SHM) => Self::Full,
            Some(code) if code & 0xff == FULL => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// The same while opening, where a bad file is not a passing failure.
pub(super) fn at_open(error: &sqlx::Error) -> StoreError {
    match code(error).map(|code| code & 0xff) {
        Some(FULL) => StoreError::Full,
        Some(NOT_A_DATABASE) => StoreError::Open("the file is not a SQLite database".to_owned()),
        Some(CORRUPT) => StoreError::Open(format!("the database is damaged ({error}); restore a backup")),
        _ => StoreError::Open(error.to_string()),
    }
}
