//! Copies a store into one file beside the service that works on it, and verifies the copy.
//!
//! `VACUUM INTO` reads one snapshot, which the service neither waits for nor changes. SQLite's backup API copies page by page instead: it
//! begins again whenever another process has written meanwhile, unless it copies everything in one step; it copies free pages, in which
//! removed rows may still be; and the driver offers it to unsafe code only.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::NamedTempFile;

pub use super::contents::Contents;
use super::{contents::check_whole, error::at_open, files, open};
use crate::store::StoreError;

/// A backup that was made and verified.
#[derive(Debug, Clone, Serialize)]
pub struct Backup {
    /// Where the backup is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// What is in it.
    #[serde(flatten)]
    pub contents: Contents,
    /// Whether the rows were also compared with the store's; not if somebody wrote to the store meanwhile.
    pub is_compared: bool,
}

/// A whole and verified copy that does not have its name yet. Nothing is left of it if it never gets it.
#[derive(Debug)]
pub struct Verified {
    staged: NamedTempFile,
    contents: Contents,
    is_compared: bool,
}

impl Verified {
    /// Whether the store's schema is the one that this version works with.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.contents.schema >= open::NEWEST
    }

    /// Makes the copy durable and gives it the name that it was made for.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if that can't be written, or somebody else has taken the name.
    pub fn place(self, target: &Path) -> Result<Backup, StoreError> {
        let Self { staged, contents, is_compared } = self;
        let bytes = place(staged, target)?;
        Ok(Backup { path: absolute(target), bytes, contents, is_compared })
    }
}

/// The whole name of a file.
#[must_use]
pub fn absolute(target: &Path) -> PathBuf {
    std::path::absolute(target).unwrap_or_else(|_| target.to_owned())
}

/// Copies the store beside a new file that only its owner can read, and verifies the copy.
///
/// # Errors
/// [`StoreError::Refused`] if there is no store, or a file of that name; [`StoreError::Open`] if the store can't be read, or the copy
/// is not whole; [`StoreError::Failed`] if the copy can't be written. Then nothing is left behind.
pub async fn verified(database: &Path, target: &Path) -> Result<Verified, StoreError> {
    let database = files::real(database)?;
    if target.symlink_metadata().is_ok() {
        let target = target.display();
        return Err(StoreError::Refused(format!(
            "`{target}` exists, and a backup overwrites nothing; choose another name"
        )));
    }
    if !database.exists() {
        return Err(StoreError::Refused(format!("there is no store in `{}`", database.display())));
    }
    files::check_modes(&database)?;
    let staged = stage(target)?;
    let (mut source, schema) = open::open_as_it_is(&database, true).await?;
    let made = make(&mut source, schema, staged.path()).await;
    // Nothing was written there.
    let _ = source.close().await;
    let (contents, is_compared) = made?;
    Ok(Verified { staged, contents, is_compared })
}

/// An empty file beside the one that is to be, with a name that nobody else has.
fn stage(target: &Path) -> Result<NamedTempFile, StoreError> {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".partial-");
    let staged = tempfile::Builder::new().prefix(&name).tempfile_in(files::directory(target));
    staged.map_err(|error| cannot_write(target, &error))
}

fn cannot_write(target: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("can't write `{}`: {error}", target.display()))
}

/// Copies the store, and compares the copy with it.
async fn make(source: &mut SqliteConnection, schema: usize, staged: &Path) -> Result<(Contents, bool), StoreError> {
    if schema == 0 {
        return Err(StoreError::Refused("the store is empty; start the service once".to_owned()));
    }
    // Absolute, since a name could look like an address to SQLite.
    let path = std::path::absolute(staged).map_err(|error| cannot_write(staged, &error))?;
    let name = path.to_str().ok_or_else(|| cannot_write(staged, &"its name is not UTF-8"))?;
    let before = data_version(source).await?;
    let vacuumed = sqlx::query("VACUUM INTO ?").bind(name).execute(&mut *source).await;
    vacuumed.map_err(|error| cannot_write(staged, &error))?;
    let expected = Contents::of(source, schema).await?;
    let is_unchanged = data_version(source).await? == before;
    let (mut copy, copied) = open::open_as_it_is(&path, true).await?;
    let verified = verify(&mut copy, copied, &expected, is_unchanged).await;
    // Nothing was written there.
    let _ = copy.close().await;
    verified.map(|contents| (contents, is_unchanged))
}

async fn verify(
    copy: &mut SqliteConnection,
    schema: usize,
    expected: &Contents,
    has_same_rows: bool,
) -> Result<Contents, StoreError> {
    let broken = |what: String| StoreError::Open(format!("the copy of it is not whole ({what}), so it was removed"));
    check_whole(copy).await.map_err(broken)?;
    let contents = Contents::of(copy, schema).await?;
    if !contents.is_made_like(expected) {
        return Err(broken("it has other tables than the store".to_owned()));
    }
    if has_same_rows && contents != *expected {
        return Err(broken("it has other rows than the store".to_owned()));
    }
    Ok(contents)
}

/// A number that changes whenever somebody else has written.
async fn data_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await.map_err(|error| at_open(&error))
}

/// Makes the file durable and gives it its name, unless somebody else has given that to another one. Returns its size.
fn place(staged: NamedTempFile, target: &Path) -> Result<u64, StoreError> {
    let file = staged.as_file();
    let synced = file.sync_all().and_then(|()| file.metadata());
    let bytes = synced.map_err(|error| cannot_write(target, &error))?.len();
    staged.persist_noclobber(target).map_err(|error| cannot_write(target, &error.error))?;
    files::sync_directory(target)?;
    Ok(bytes)
}
