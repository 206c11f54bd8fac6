//! The store's files: whose they are, who may read them, and which process has them.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use tracing::warn;

use crate::{domain::Clause, store::StoreError};

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

/// What it means that a file can't be used.
pub(super) fn trouble(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return StoreError::Full;
    }
    StoreError::Open(format!("{what} `{}`: {error}", path.display()))
}

/// Whether there is a file.
///
/// # Errors
/// [`StoreError::Open`] if nobody knows, because a folder on the way may not be searched.
pub(super) fn is_there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(|error| trouble("can't look for", path, &error))
}

/// Refuses files that others may read: they hold customers' scores.
pub(super) fn check_modes(database: &Path) -> Result<(), StoreError> {
    match open_to_others(database).into_iter().next() {
        Some((path, mode)) => {
            let path = path.display();
            Err(StoreError::Open(format!("`{path}` is open to others (mode {mode:o}); run `chmod 600 {path}`")))
        }
        None => Ok(()),
    }
}

/// Closes our own files to others, and refuses others' files that are open. Kubernetes opens each file to a volume's group, and there is
/// no shell in a container to close it by.
pub(super) fn close_to_others(database: &Path) -> Result<(), StoreError> {
    for (path, mode) in open_to_others(database) {
        if close(&path).is_ok() {
            warn!(path = %path.display(), "a file of the store was open to others (mode {mode:o}); now it is not");
        }
    }
    check_modes(database)
}

/// Closes a file to others, unless it belongs to somebody else, or is a link to whatever file.
fn close(path: &Path) -> io::Result<()> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    file.set_permissions(Permissions::from_mode(FILE_MODE))
}

/// The files that others may read, each with its mode.
fn open_to_others(database: &Path) -> Vec<(PathBuf, u32)> {
    let files = ["", "-wal", "-shm", ".lock"].map(|ending| beside(database, ending));
    let open = files.into_iter().filter_map(|path| {
        let metadata = path.metadata().ok()?;
        let mode = metadata.permissions().mode() & 0o777;
        (metadata.is_file() && mode & OTHERS != 0).then_some((path, mode))
    });
    open.collect()
}

/// Makes the directory and an empty database file that only we can read; SQLite gives its other files the same mode.
pub(super) fn create(database: &Path) -> Result<(), StoreError> {
    create_directory(database)?;
    open_private(database).map(drop).map_err(|error| trouble("can't make the file", database, &error))
}

/// Makes the directory of a database, if there is none.
pub(super) fn create_directory(database: &Path) -> Result<(), StoreError> {
    let directory = directory(database);
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(directory)
        .map_err(|error| trouble("can't make the directory", directory, &error))
}

/// The directory in which a file is.
pub(super) fn directory(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes durable which names a directory has.
pub(super) fn sync_directory(of: &Path) -> Result<(), StoreError> {
    let directory = directory(of);
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|error| trouble("can't write", directory, &error))
}

/// The database itself, if the path is a symbolic link to it: SQLite puts its other files beside that, and the lock belongs there
/// too, so that no two names lead two services to one store.
pub(super) fn real(path: &Path) -> Result<PathBuf, StoreError> {
    if !path.is_symlink() {
        return Ok(path.to_owned());
    }
    path.canonicalize().map_err(|error| trouble("can't follow the symbolic link", path, &error))
}

/// Opens or makes a regular file. A symbolic link is not followed: whoever can put one there could have another file of ours
/// overwritten. A pipe is not waited for.
fn open_private(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options.read(true).write(true).truncate(false).mode(FILE_MODE).custom_flags(flags.bits().cast_signed());
    let made = options.clone().create_new(true).open(path);
    if let Ok(file) = &made
        && let Err(error) = hand_over(file, path)
    {
        // The service could not use it.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    let exists = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
    let file = made.or_else(|error| if exists(&error) { options.open(path) } else { Err(error) }).map_err(|error| {
        let is_link = path.is_symlink();
        if is_link { io::Error::other("it is a symbolic link; delete the link") } else { error }
    })?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file; delete it"));
    }
    Ok(file)
}

/// What root makes belongs to whom its directory belongs to: the service, which could not use it otherwise.
pub(super) fn hand_over(file: &File, path: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(directory(path))?;
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}

/// Which files the store consists of, by number of device and inode.
#[derive(Debug, Clone)]
pub(super) struct Inodes(Vec<(PathBuf, Option<(u64, u64)>)>);

impl Inodes {
    /// The files as they are now, while a connection is open.
    pub(super) fn of(database: &Path) -> Self {
        let paths = ["", "-wal"].map(|ending| beside(database, ending));
        // Whoever changes the working directory moves nothing.
        let paths = paths.map(|path| std::path::absolute(&path).unwrap_or(path));
        Self(paths.into_iter().map(|path| (path.clone(), inode(&path).ok().flatten())).collect())
    }

    /// Whether they are still there.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for ((path, before), is_database) in self.0.iter().zip([true, false]) {
            let Some(before) = before else { continue };
            let now = inode(path).map_err(|error| trouble("can't look at", path, &error))?;
            if now.as_ref() != Some(before) {
                let what = match (is_database, now) {
                    (true, None) => Clause::FileMoved,
                    (true, Some(_)) => Clause::FileReplaced,
                    (false, None) => Clause::LogMoved,
                    (false, Some(_)) => Clause::LogReplaced,
                };
                return Err(StoreError::Gone(what.english()));
            }
        }
        Ok(())
    }
}

/// `None`: there is no such file.
fn inode(path: &Path) -> io::Result<Option<(u64, u64)>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some((metadata.dev(), metadata.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
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

/// The process that has the store as its service. Looks only: whoever tried the lock could keep a service from starting.
pub(super) fn holder(database: &Path) -> Option<u32> {
    let path = beside(database, ".lock");
    let pid: u32 = fs::read_to_string(&path).ok()?.trim().parse().ok()?;
    let inode = fs::metadata(&path).ok()?.ino();
    has_lock(&fs::read_to_string("/proc/locks").ok()?, pid, inode).then_some(pid)
}

/// Whether `/proc/locks` says that the process has a lock on the file: `1: FLOCK  ADVISORY  WRITE 4711 08:02:131 0 EOF`. Devices are
/// not compared, since some file systems show another one there.
fn has_lock(locks: &str, pid: u32, inode: u64) -> bool {
    let (pid, inode) = (pid.to_string(), inode.to_string());
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(*words, [_, "FLOCK", _, "WRITE", by, of, ..] if by == pid && of.rsplit(':').next() == Some(&*inode))
    })
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_lock_follows_no_link_and_takes_no_other_kind_of_file() {
        let folder = tempfile::tempdir().unwrap();
        let (database, victim) = (folder.path().join("s.db"), folder.path().join("victim"));
        let path = beside(&database, ".lock");
        fs::write(&victim, "precious").unwrap();
        for target in [victim.as_path(), Path::new("dangling")] {
            symlink(target, &path).unwrap();
            let error = lock(&database).unwrap_err().to_string();
            assert!(error.contains("s.db.lock`: it is a symbolic link; delete the link"), "{error}");
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert!(!folder.path().join("dangling").exists());
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let error = lock(&database).unwrap_err().to_string();
        assert!(error.contains("it is not a regular file"), "{error}");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(lock(&database).is_err());
        fs::remove_dir(&path).unwrap();
        let _lock = lock(&database).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, FILE_MODE);
    }

    #[test]
    fn a_file_that_is_closed_to_others_is_our_own_and_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (database, victim) = (folder.path().join("s.db"), folder.path().join("victim"));
        for path in [&database, &victim] {
            fs::write(path, "").unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o664)).unwrap();
        }
        symlink(&victim, beside(&database, "-shm")).unwrap();
        assert!(close_to_others(&database).unwrap_err().to_string().contains("s.db-shm` is open to others"));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&database), mode(&victim)), (FILE_MODE, 0o664));
    }

    #[test]
    fn what_root_makes_belongs_to_the_directory_s_owner() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(folder.path(), Some(65_532), Some(65_531)).unwrap();
        let database = folder.path().join("s.db");
        create(&database).unwrap();
        let _lock = lock(&database).unwrap();
        for path in [database.clone(), beside(&database, ".lock")] {
            let made = path.metadata().unwrap();
            assert_eq!((made.uid(), made.gid()), (65_532, 65_531), "{}", path.display());
        }
    }

    #[test]
    fn the_process_that_has_the_store_is_found_without_touching_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("s.db");
        assert_eq!(holder(&database), None);
        let held = lock(&database).unwrap();
        assert_eq!(holder(&database), Some(std::process::id()));
        drop(held);
        assert_eq!(holder(&database), None, "its number is still in the file");
    }

    #[test]
    fn a_lock_is_recognized_by_process_and_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 08:02:131 0 EOF\n2: FLOCK  ADVISORY  WRITE 7 00:1f:99 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 8 00:1f:99 0 EOF\n3: FLOCK  ADVISORY  READ  9 00:1f:99 0 EOF\n";
        for (pid, inode, expected) in [(7, 99, true), (7, 131, false), (8, 99, false), (9, 99, false)] {
            assert_eq!(has_lock(locks, pid, inode), expected, "{pid} {inode}");
        }
    }

    #[test]
    fn two_names_of_one_database_have_one_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (database, link) = (folder.path().join("s.db"), folder.path().join("link.db"));
        create(&database).unwrap();
        symlink("s.db", &link).unwrap();
        let _lock = lock(&real(&database).unwrap()).unwrap();
        assert!(matches!(lock(&real(&link).unwrap()), Err(StoreError::InUse(_))));
        symlink("absent.db", folder.path().join("dangling.db")).unwrap();
        assert!(real(&folder.path().join("dangling.db")).is_err());
    }

    #[test]
    fn a_file_that_is_deleted_moved_or_replaced_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("s.db");
        let log = beside(&database, "-wal");
        for (name, gone, replaced) in [
            (&database, "file was deleted or moved", "file was replaced by another"),
            (&log, "write-ahead log was deleted or moved", "write-ahead log was replaced by another"),
        ] {
            for path in [&database, &log] {
                fs::write(path, "x").unwrap();
            }
            let files = Inodes::of(&database);
            files.check().unwrap();
            let moved = folder.path().join("moved");
            fs::rename(name, &moved).unwrap();
            assert_eq!(files.check(), Err(StoreError::Gone(gone)));
            fs::write(name, "y").unwrap();
            assert_eq!(files.check(), Err(StoreError::Gone(replaced)));
            fs::rename(&moved, name).unwrap();
            files.check().unwrap();
        }
    }
}
