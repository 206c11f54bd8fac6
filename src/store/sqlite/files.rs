//! The store's files: whose they are, who may read them, and which process has them.

use std::{
    ffi::OsString,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::store::StoreError;

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Permissions of group and others.
const OTHERS: u32 = 0o077;

/// The right to write to the store as a service; given back when dropped.
#[derive(Debug)]
pub(super) struct ProcessLock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// The file beside the database with that ending.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(ending);
    name.into()
}

fn trouble(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return StoreError::Full;
    }
    StoreError::Open(format!("{what} `{}`: {error}", path.display()))
}

/// Refuses files that others may read: they hold customers' scores.
pub(super) fn check_modes(database: &Path) -> Result<(), StoreError> {
    for path in ["", "-wal", "-shm", ".lock"].map(|ending| beside(database, ending)) {
        let Ok(metadata) = path.metadata() else { continue };
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_file() && mode & OTHERS != 0 {
            let path = path.display();
            return Err(StoreError::Open(format!(
                "`{path}` is open to others (mode {mode:o}); run `chmod 600 {path}`"
            )));
        }
    }
    Ok(())
}

/// Makes the directory and an empty database file that only we can read; SQLite gives its other files the same mode.
pub(super) fn create(database: &Path) -> Result<(), StoreError> {
    if let Some(directory) = database.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(directory)
            .map_err(|error| trouble("can't make the directory", directory, &error))?;
    }
    open_private(database).map(drop).map_err(|error| trouble("can't make the file", database, &error))
}

fn open_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(path)
}

/// Whether a service works on the store now.
pub(super) fn is_locked(database: &Path) -> Result<bool, StoreError> {
    let path = beside(database, ".lock");
    let file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(trouble("can't open", &path, &error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(trouble("can't lock", &path, &error)),
    }
}

/// Takes the store for this process.
pub(super) fn lock(database: &Path) -> Result<ProcessLock, StoreError> {
    let path = beside(database, ".lock");
    let mut file = open_private(&path).map_err(|error| trouble("can't open", &path, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // Who it is only adorns the message.
            let _ = file.read_to_string(&mut owner);
            let owner = owner.trim();
            return Err(StoreError::InUse(if owner.is_empty() { String::new() } else { format!(" (pid {owner})") }));
        }
        Err(TryLockError::Error(error)) => return Err(trouble("can't lock", &path, &error)),
    }
    let note_owner = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    note_owner(&mut file).map_err(|error| trouble("can't write", &path, &error))?;
    Ok(ProcessLock(file))
}
