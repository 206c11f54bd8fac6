//! Brings the schema up to date without starting the service.

use std::path::Path;

use sqlx::Connection as _;

use super::{files, open, write::WritingConnection};
use crate::store::{SchemaStep, StoreError, sql::WriteAccess};

/// Which schema the store has. Nothing is changed.
///
/// # Errors
/// [`StoreError::Open`] if the file can't be read, or is another program's or a newer version's.
pub async fn schema(path: &Path) -> Result<SchemaStep, StoreError> {
    let path = files::real(path)?;
    let mut version = 0;
    if files::is_there(&path)? {
        files::check_modes(&path)?;
        let (connection, found) = open::open_as_it_is(&path, true).await?;
        // Nothing was written.
        let _ = connection.close().await;
        version = found;
    }
    Ok(SchemaStep { from: version as u64, to: open::NEWEST as u64 })
}

/// Makes the tables or changes them to this version's schema, a step and a transaction at a time. Returns what there was to do.
///
/// # Errors
/// As [`schema`]; [`StoreError::InUse`] if there is something to do while a service works on the store.
pub async fn migrate(path: &Path) -> Result<SchemaStep, StoreError> {
    let step = schema(path).await?;
    if step.is_current() {
        return Ok(step);
    }
    let path = files::real(path)?;
    files::create(&path)?;
    let lock = files::lock(&path)?;
    let connection = open::open_service(&path).await?;
    Box::new(WritingConnection::new(connection, Some(lock))).close(true).await;
    Ok(step)
}
