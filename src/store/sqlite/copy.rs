//! A SQLite file at one end of a copy to the other database.

use std::path::Path;

use super::{files, generation, open, restore::give_to, write::WritingConnection};
use crate::store::{
    StoreError,
    sql::{WriteAccess, db::Connection},
};

/// Takes the store, so that no service starts on it.
pub(in crate::store) async fn source(path: &Path) -> Result<impl WriteAccess, StoreError> {
    let path = files::real(path)?;
    if !path.exists() {
        return Err(StoreError::Refused(format!("there is no store in `{}`", path.display())));
    }
    files::check_modes(&path)?;
    let lock = files::lock(&path)?;
    Ok(WritingConnection::new(open::open_beside(&path).await?, Some(lock)))
}

/// Makes the tables in a new file, or in one in which there is no row yet, and takes it.
pub(in crate::store) async fn target(path: &Path) -> Result<impl WriteAccess, StoreError> {
    let path = files::real(path)?;
    files::check_modes(&path)?;
    files::create(&path)?;
    let lock = files::lock(&path)?;
    Ok(WritingConnection::new(open::open_service(&path).await?, Some(lock)))
}

/// Makes the next service on it go on with the generation that the tables have.
pub(in crate::store) async fn keep_generation(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    match db {
        Connection::Sqlite(db) => {
            let path = files::real(path)?;
            generation::settle(db, &path).await?;
            // Where root copies, the service of the folder's owner is to use it.
            let folder = path.parent().and_then(|folder| folder.metadata().ok());
            give_to(folder.as_ref(), &path)
                .map_err(|error| files::trouble("can't give the service its store,", &path, &error))
        }
        Connection::Postgres(_) => Ok(()),
    }
}

/// Makes the next service on it draw a new generation.
pub(in crate::store) fn forget_generation(path: &Path) -> Result<(), StoreError> {
    let path = files::real(path)?;
    generation::forget(&path).map_err(|error| files::trouble("can't write the generation of", &path, &error))
}
