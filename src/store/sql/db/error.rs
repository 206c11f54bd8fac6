//! What the databases' errors mean to a caller.

use sqlx::{
    error::{DatabaseError, ErrorKind},
    postgres::PgDatabaseError,
};

use crate::store::StoreError;

/// Primary result codes of SQLite ("Result and Error Codes", sqlite.org).
const FULL: i32 = 13;
/// `SQLITE_IOERR_SHMSIZE`: the shared memory file could not grow, which happens only on a full disk.
const NO_ROOM_FOR_SHM: i32 = 4874;
/// PostgreSQL's class `disk_full` (appendix "PostgreSQL Error Codes").
const DISK_FULL: &str = "53100";

/// What SQLite says went wrong.
pub(in crate::store) fn sqlite_code(error: &sqlx::Error) -> Option<i32> {
    let error = error.as_database_error().filter(|error| error.try_downcast_ref::<PgDatabaseError>().is_none())?;
    error.code().and_then(|code| code.parse().ok())
}

/// What says that a server goes down, lets nobody write any more, or that a transaction has failed ("PostgreSQL Error Codes"). What
/// begins with 08 or 57P says that the connection is gone.
const UNUSABLE: [&str; 2] = ["25006", "25P02"];

/// Whether a connection to a server is of no further use after that error: it is gone, leads to a server that may not be the primary
/// any more, or has an answer that nobody has read. A refused statement leaves it as it was.
pub(in crate::store) fn is_unusable_after(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            code.starts_with("57P") || code.starts_with("08") || UNUSABLE.contains(&&*code)
        }
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// What says that a server does not let somebody in: `invalid_password`, `invalid_authorization_specification`.
const REFUSED: [&str; 2] = ["28P01", "28000"];

/// Whether a server refuses the role or its password.
pub(in crate::store) fn is_login_refused(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| REFUSED.contains(&&*code))
}

/// Whether a row was refused because there is another one with what must be unique.
pub(super) fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| matches!(error.kind(), ErrorKind::UniqueViolation))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let is_full = match sqlite_code(&error) {
            Some(code) => code == NO_ROOM_FOR_SHM || code & 0xff == FULL,
            None => error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == DISK_FULL),
        };
        if is_full { Self::Full } else { Self::Failed(error.to_string()) }
    }
}
