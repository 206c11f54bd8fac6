//! Takes care of the store as a whole: its schema, backups, and moving it to the other database. Whoever may do this sees and replaces
//! everything, so it takes the role `admin` and no limits.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use super::record::must;
pub use crate::store::{
    SchemaStep,
    copy::{Copied, CopiedTable},
    sqlite::{
        backup::{Backup, Contents},
        restore::Restored,
    },
};
use crate::{
    config::{Config, StoreLocation},
    domain::{Caller, Role, Timestamp},
    query::{self, Error, database},
    store::{NewEntry, StoreError, copy as moving, postgres, sqlite},
};

/// What to use instead for a store in PostgreSQL.
const BACKUP_OF_POSTGRES: &str =
    "the store is in PostgreSQL; back it up with `pg_dump`, or with base backups and the write-ahead log";
const RESTORE_OF_POSTGRES: &str = "the store is in PostgreSQL; stop the service, and restore with `pg_restore` into a new database, or from a base backup";

/// Which schema the store has, and which this version works with. Nothing is changed.
///
/// # Errors
/// [`Error::Store`] if the store can't be read or is a newer version's; [`Error::Forbidden`].
pub async fn schema(config: &Config, caller: &Caller) -> Result<SchemaStep, Error> {
    allowed(caller)?;
    Ok(match &config.store {
        StoreLocation::Sqlite(path) => sqlite::migrate::schema(path).await?,
        StoreLocation::Postgres(database) => postgres::schema(&database::settings(database)).await?,
    })
}

/// Makes the store's tables, or changes them to this version's schema. Returns what there was to do.
///
/// # Errors
/// As [`schema`]; [`Error::Store`] if there is something to do while a service works on the store.
pub async fn migrate(config: &Config, caller: &Caller) -> Result<SchemaStep, Error> {
    allowed(caller)?;
    Ok(match &config.store {
        StoreLocation::Sqlite(path) => sqlite::migrate::migrate(path).await?,
        StoreLocation::Postgres(database) => postgres::bring_up_to_date(&database::settings(database)).await?,
    })
}

/// Copies a store in a SQLite file into a new file, beside the service that works on it.
///
/// # Errors
/// [`Error::Conflict`] if the store is in PostgreSQL, or the file is there; [`Error::Store`]; [`Error::Forbidden`].
pub async fn backup(config: &Config, caller: &Caller, to: &Path, now: Timestamp) -> Result<Backup, Error> {
    allowed(caller)?;
    let StoreLocation::Sqlite(path) = &config.store else {
        return Err(Error::Conflict(BACKUP_OF_POSTGRES.to_owned()));
    };
    let copy = sqlite::backup::verified(path, to).await.map_err(refused)?;
    // No transaction reaches a file, so the entry comes before the copy has a name.
    let to_file = sqlite::backup::absolute(to).display().to_string();
    let noted = note(config, caller, copy.is_current(), to_file.clone(), now).await;
    let placed = copy.place(to).map_err(refused)?;
    noted.map(|()| placed).map_err(|error| unrecorded(&to_file, &error))
}

/// Writes a verified copy of a store in a SQLite file, beside the service that works on it. Meanwhile the copy is beside the store.
///
/// # Errors
/// As [`backup`]; [`Error::Store`] if it can't be written.
pub async fn write_backup(
    config: &Config,
    caller: &Caller,
    to: &mut dyn Write,
    now: Timestamp,
) -> Result<Backup, Error> {
    allowed(caller)?;
    let StoreLocation::Sqlite(path) = &config.store else {
        return Err(Error::Conflict(BACKUP_OF_POSTGRES.to_owned()));
    };
    let trouble = |error: io::Error| Error::Store(StoreError::Failed(format!("the backup can't be written: {error}")));
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new().prefix("backup.partial-").tempdir_in(beside).map_err(trouble)?;
    let target = folder.path().join("store.db");
    let verified = sqlite::backup::verified(path, &target).await.map_err(refused)?;
    let is_current = verified.is_current();
    let backup = verified.place(&target).map_err(refused)?;
    let mut copy = File::open(&backup.path).map_err(trouble)?;
    // Whatever happens from here on, no copy is left behind.
    drop(folder);
    let noted = note(config, caller, is_current, "standard output".to_owned(), now).await;
    io::copy(&mut copy, to).and_then(|_| to.flush()).map_err(trouble)?;
    noted.map(|()| backup).map_err(|error| unrecorded("standard output", &error))
}

/// Records a backup in the audit log. An older schema may have no audit log, and is not changed for it.
async fn note(config: &Config, caller: &Caller, is_current: bool, to: String, now: Timestamp) -> Result<(), Error> {
    if !is_current {
        return Ok(());
    }
    let store = query::open(config).await?;
    let recorded = store.record(NewEntry::by(caller, "store.backup", Some(to), now)).await;
    store.close().await;
    Ok(recorded?)
}

/// The error for a complete copy that could not be recorded. The copy is kept: a store that can't be written to is the one that needs a
/// backup most.
fn unrecorded(to: &str, error: &Error) -> Error {
    Error::Failed(format!(
        "the backup is complete and verified in {to}, but it could not be recorded in the audit log: {error}"
    ))
}

/// Puts a backup in the place of the store, on which no service may work. The store that was there is kept.
///
/// # Errors
/// [`Error::Conflict`] if the store is in PostgreSQL, or the backup is not whole; [`Error::Store`]; [`Error::Forbidden`].
pub async fn restore(config: &Config, caller: &Caller, from: &Path, now: Timestamp) -> Result<Restored, Error> {
    allowed(caller)?;
    let StoreLocation::Sqlite(path) = &config.store else {
        return Err(Error::Conflict(RESTORE_OF_POSTGRES.to_owned()));
    };
    let entry = NewEntry::by(caller, "store.restore", Some(from.display().to_string()), now);
    sqlite::restore::restore(path, from, &entry, now).await.map_err(refused)
}

/// Copies the store of one configuration to that of another one, which is in the other kind of database and empty. Calls `progress`
/// with a table's name and how many of its rows were copied.
///
/// # Errors
/// [`Error::Conflict`] if the target is not empty, or both are of the same kind; [`Error::Store`]; [`Error::Forbidden`].
pub async fn copy(
    from: &Config,
    to: &Config,
    caller: &Caller,
    now: Timestamp,
    progress: &mut (dyn FnMut(&str, u64) + Send),
) -> Result<Copied, Error> {
    allowed(caller)?;
    let entry = NewEntry::by(caller, "store.copy", None, now);
    moving::copy(&place(from), &place(to), &entry, progress).await.map_err(refused)
}

fn place(config: &Config) -> moving::Place {
    match &config.store {
        StoreLocation::Sqlite(path) => moving::Place::Sqlite(path.clone()),
        StoreLocation::Postgres(database) => moving::Place::Postgres(Box::new(database::settings(database))),
    }
}

fn allowed(caller: &Caller) -> Result<(), Error> {
    must(caller, Role::Admin)?;
    if caller.scope.is_all() {
        return Ok(());
    }
    Err(Error::Forbidden("the store is every tenant's, and you may see some of them only".to_owned()))
}

fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Refused(why) => Error::Conflict(why),
        error => error.into(),
    }
}
