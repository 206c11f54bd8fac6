//! Puts a backup in the place of a store.
//!
//! The backup is first copied beside the store and verified there, so what is verified is what is used, and the backup itself is only
//! read. Until the last step, which is one renaming, the store is as it was; the one that is replaced keeps its data under another name.
//! A crash at any point leaves the old store or the new one, and the store's next start draws a new generation in any case.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};

use serde::Serialize;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::NamedTempFile;

use super::{
    backup::Contents,
    contents::check_whole,
    error::at_open,
    files::{self, beside},
    generation, open,
};
use crate::{
    domain::Timestamp,
    store::{
        NewEntry, StoreError,
        sql::{audit, db::Connection},
    },
};

/// A backup that is the store now.
#[derive(Debug, Clone, Serialize)]
pub struct Restored {
    /// Where the store is now.
    pub path: PathBuf,
    /// Where the store is that was there before; `None`: there was none.
    pub replaced: Option<PathBuf>,
    /// What is in it.
    #[serde(flatten)]
    pub contents: Contents,
}

/// Puts a backup in the place of the store on which no service works. `entry` records it in the audit log, if the backup's schema has
/// one.
///
/// # Errors
/// [`StoreError::InUse`] while a service works on the store; [`StoreError::Refused`] if the backup is not a whole store, is in use or
/// was written by a newer version; [`StoreError::Open`] if the files can't be written. Then the store is as it was.
pub async fn restore(database: &Path, backup: &Path, entry: &NewEntry, now: Timestamp) -> Result<Restored, StoreError> {
    let database = files::real(database)?;
    let backup = files::real(backup)?;
    refuse_unusable(&database, &backup)?;
    files::create_directory(&database)?;
    let _lock = files::lock(&database)?;
    let staged = stage(&database, &backup)?;
    let verified = verify(staged.path(), entry).await;
    if verified.is_err() {
        remove_beside(staged.path());
    }
    let contents = verified.map_err(|error| match error {
        StoreError::Open(why) => StoreError::Refused(format!("`{}` can't be restored: {why}", backup.display())),
        error => error,
    })?;
    let owner = fs::metadata(&database).or_else(|_| fs::metadata(files::directory(&database))).ok();
    let unwritten = |error: io::Error| files::trouble("can't replace", &database, &error);
    staged.as_file().sync_all().map_err(unwritten)?;
    generation::forget(&database).map_err(unwritten)?;
    let replaced = if database.exists() { Some(set_aside(&database, now).await?) } else { None };
    staged.persist(&database).map_err(|error| unwritten(error.error))?;
    give_to(owner.as_ref(), &database).map_err(unwritten)?;
    files::sync_directory(&database)?;
    Ok(Restored { path: database, replaced, contents })
}

fn refuse_unusable(database: &Path, backup: &Path) -> Result<(), StoreError> {
    let name = backup.display();
    let found = fs::metadata(backup)
        .map_err(|error| StoreError::Refused(format!("the backup `{name}` can't be read: {error}")))?;
    if !found.is_file() {
        return Err(StoreError::Refused(format!("the backup `{name}` is not a file")));
    }
    let is_same = |store: Metadata| (store.dev(), store.ino()) == (found.dev(), found.ino());
    if fs::metadata(database).is_ok_and(is_same) {
        return Err(StoreError::Refused(format!("`{name}` is the store itself; name a backup")));
    }
    if files::is_locked(backup)? {
        let what = "another service works on it; make a backup with `scorewatch backup`, and restore that";
        return Err(StoreError::Refused(format!("`{name}` can't be restored: {what}")));
    }
    Ok(())
}

/// Copies the backup, with the log that belongs to it, beside the store.
fn stage(database: &Path, backup: &Path) -> Result<NamedTempFile, StoreError> {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".restoring-");
    let copied = || {
        let staged = tempfile::Builder::new().prefix(&name).tempfile_in(files::directory(database))?;
        io::copy(&mut File::open(backup)?, &mut staged.as_file())?;
        if beside(backup, "-wal").exists() {
            fs::copy(beside(backup, "-wal"), beside(staged.path(), "-wal"))?;
        }
        Ok(staged)
    };
    copied().map_err(|error| files::trouble("can't copy the backup to the directory of", database, &error))
}

/// Finds out what is in the copy and whether it is whole, and leaves it as one file.
async fn verify(copy: &Path, entry: &NewEntry) -> Result<Contents, StoreError> {
    let (mut connection, schema) = open::open_as_it_is(copy, false).await?;
    if schema == 0 {
        return Err(StoreError::Open("it is empty".to_owned()));
    }
    let found = examine(&mut connection, schema).await;
    let contents = match found {
        Ok(contents) => contents,
        Err(error) => {
            // The first error is the one to report.
            let _ = connection.close().await;
            return Err(error);
        }
    };
    let mut connection = Connection::Sqlite(connection);
    if schema >= open::NEWEST {
        audit::add(&mut connection, entry, &[]).await?;
    }
    if let Connection::Sqlite(mut connection) = connection {
        let folded = sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut connection).await;
        folded.map_err(|error| at_open(&error))?;
        connection.close().await.map_err(|error| at_open(&error))?;
    }
    Ok(contents)
}

async fn examine(connection: &mut SqliteConnection, schema: usize) -> Result<Contents, StoreError> {
    check_whole(connection).await.map_err(|what| StoreError::Open(format!("it is damaged ({what})")))?;
    // Whoever opens it asks for this first.
    open::identity(connection).await?;
    Contents::of(connection, schema).await
}

/// Gives the store that is replaced another name as well, with everything that is still in its log.
async fn set_aside(database: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let aside = beside(database, &format!(".replaced-{}", now.to_chrono().format("%Y%m%dT%H%M%SZ")));
    let is_settled = match open::open_as_it_is(database, false).await {
        Ok((mut connection, _)) => {
            let settled = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.is_ok();
            connection.close().await.is_ok() && settled
        }
        Err(_) => false,
    };
    let moved = || {
        let log = beside(database, "-wal");
        // A log that stays would be taken for that of the new store.
        if !is_settled && log.exists() {
            fs::rename(&log, beside(&aside, "-wal"))?;
        }
        remove_beside(database);
        // A second name leaves the store in its place until the new one takes it; not every file system has such names.
        if aside.symlink_metadata().is_ok() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("`{}` exists", aside.display())));
        }
        fs::hard_link(database, &aside).or_else(|_| fs::rename(database, &aside))
    };
    moved().map_err(|error| files::trouble("can't set aside", database, &error))?;
    files::sync_directory(database)?;
    Ok(aside)
}

/// Removes what SQLite keeps beside a database while it is open.
fn remove_beside(database: &Path) {
    for ending in ["-wal", "-shm"] {
        // Usually there is none.
        let _ = fs::remove_file(beside(database, ending));
    }
}

/// What root puts there is the service's.
pub(super) fn give_to(owner: Option<&Metadata>, database: &Path) -> io::Result<()> {
    let Some(owner) = owner.filter(|_| rustix::process::geteuid().is_root()) else { return Ok(()) };
    for path in [database.to_owned(), beside(database, ".lock"), beside(database, generation::ENDING)] {
        chown(path, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}
