//! Reads files that hold secrets: off the caller's thread, within [`READ_WITHIN`], and each path by one thread at a time.
//!
//! A disk that does not answer (a dead mount) keeps its reader for as long as it likes. Whoever asks for the same path in the
//! meantime is refused immediately, so that threads do not pile up behind it.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    panic::catch_unwind,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::fs::OFlags;
use secrecy::{ExposeSecret, SecretSlice};
use tokio::sync::{Notify, Semaphore};

use super::{
    fault::{Fault, SECRET_BYTES_MAX, too_large_fault},
    permission,
    threads::Threads,
};
use crate::domain::Clause;

/// The longest that one read of a secret's file may take.
pub const READ_WITHIN: Duration = Duration::from_secs(5);
/// Readers that hang, in the whole process. Each keeps a thread.
const STUCK_MAX: usize = 256;
/// Readers that hang in one folder. After that many, the folder's disk does not answer, and no further thread is given to it.
const STUCK_IN_FOLDER_MAX: usize = 16;
/// Reads that are waited for at one time.
const WAITED_FOR_MAX: usize = 64;

/// What to do about a fault of ours.
const REPORT: &str = "report this bug in Scorewatch, with the log lines around it";

type Outcome = Result<Arc<SecretSlice<u8>>, Fault>;

/// One read under way.
#[derive(Debug)]
struct Reading {
    began: Instant,
    outcome: Mutex<Option<Outcome>>,
    is_done: Condvar,
    done: Notify,
}

impl Reading {
    fn start() -> Self {
        Self { began: Instant::now(), outcome: Mutex::default(), is_done: Condvar::new(), done: Notify::new() }
    }

    fn is_stuck(&self) -> bool {
        self.began.elapsed() >= READ_WITHIN
    }

    fn left(&self) -> Duration {
        READ_WITHIN.saturating_sub(self.began.elapsed())
    }

    fn finish(&self, outcome: Outcome) {
        *self.outcome() = Some(outcome);
        self.is_done.notify_all();
        self.done.notify_waiters();
    }

    fn outcome(&self) -> MutexGuard<'_, Option<Outcome>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits on this thread.
    fn wait(&self) -> Outcome {
        let waited = self.is_done.wait_timeout_while(self.outcome(), self.left(), |outcome| outcome.is_none());
        let (outcome, _) = waited.unwrap_or_else(PoisonError::into_inner);
        outcome.clone().unwrap_or_else(|| Err(hangs()))
    }

    /// Waits without a thread.
    async fn finished(&self) -> Outcome {
        let mut done = pin!(self.done.notified());
        done.as_mut().enable();
        if let Some(outcome) = self.outcome().clone() {
            return outcome;
        }
        let _ = tokio::time::timeout(self.left(), done).await;
        self.outcome().clone().unwrap_or_else(|| Err(hangs()))
    }
}

/// The reads that are under way in this process, by path.
#[derive(Debug)]
struct Readers {
    running: Mutex<HashMap<PathBuf, Arc<Reading>>>,
    threads: Arc<Threads>,
    waited_for: Semaphore,
    read: fn(&Path) -> Result<SecretSlice<u8>, Fault>,
}

static READERS: LazyLock<Arc<Readers>> = LazyLock::new(|| Arc::new(Readers::new(read_file)));

/// Reads a secret's file and waits for it on this thread: not for the runtime's own threads.
pub(super) fn read_here(path: &Path) -> Outcome {
    READERS.join(path)?.wait()
}

/// Reads a secret's file and waits for it without a thread.
pub(super) async fn read(path: &Path) -> Outcome {
    READERS.read(path).await
}

impl Readers {
    fn new(read: fn(&Path) -> Result<SecretSlice<u8>, Fault>) -> Self {
        let (running, threads) = (Mutex::default(), Arc::default());
        Self { running, threads, waited_for: Semaphore::new(WAITED_FOR_MAX), read }
    }

    async fn read(self: &Arc<Self>, path: &Path) -> Outcome {
        // The semaphore is never closed.
        let _place = self.waited_for.acquire().await.ok();
        self.join(path)?.finished().await
    }

    /// The read of that path that is under way, or a new one.
    fn join(self: &Arc<Self>, path: &Path) -> Result<Arc<Reading>, Fault> {
        let mut running = self.running();
        if let Some(reading) = running.get(path) {
            return if reading.is_stuck() { Err(hangs()) } else { Ok(Arc::clone(reading)) };
        }
        let stuck: Vec<&PathBuf> =
            running.iter().filter(|(_, reading)| reading.is_stuck()).map(|(path, _)| path).collect();
        if stuck.len() >= STUCK_MAX {
            return Err(Fault::new(
                format!("was not read: {STUCK_MAX} reads of other secrets are hanging"),
                "check the disks that secrets are stored on, and restart the service",
            ));
        }
        if stuck.iter().filter(|stuck| stuck.parent() == path.parent()).count() >= STUCK_IN_FOLDER_MAX {
            return Err(hangs());
        }
        let reading = Arc::new(Reading::start());
        let (readers, one, of) = (Arc::clone(self), Arc::clone(&reading), path.to_owned());
        let read = move || {
            let outcome = catch_unwind(|| (readers.read)(&of).map(Arc::new));
            let outcome = outcome.unwrap_or_else(|_| Err(Fault::new("was not read: its reader panicked", REPORT)));
            readers.running().remove(&of);
            one.finish(outcome);
        };
        if let Err(error) = self.threads.run(Box::new(read)) {
            let hint = "allow the service more threads: raise `TasksMax=` of its unit, or `ulimit -u`";
            return Err(Fault::new(format!("was not read: no thread could be started ({})", error.kind()), hint));
        }
        running.insert(path.to_owned(), Arc::clone(&reading));
        Ok(reading)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<Reading>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hangs() -> Fault {
    Fault::new(Clause::DiskHangs.with(&[&READ_WITHIN.as_secs().to_string()]), Clause::CheckMount.english())
}

/// Reads a file whole. Only a regular file is opened: a pipe or a device could block for ever.
fn read_file(path: &Path) -> Result<SecretSlice<u8>, Fault> {
    let unreadable = |error: io::Error| unreadable(path, &error);
    regular(fs::metadata(path).map_err(unreadable)?.file_type())?;
    // The file may have been replaced since.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).map_err(unreadable)?;
    regular(file.metadata().map_err(unreadable)?.file_type())?;
    let bytes = read_whole(file).map_err(unreadable)?;
    if bytes.expose_secret().len() > SECRET_BYTES_MAX {
        return Err(too_large_fault());
    }
    Ok(bytes)
}

fn read_whole(file: File) -> io::Result<SecretSlice<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    file.take(SECRET_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

fn regular(kind: fs::FileType) -> Result<(), Fault> {
    if kind.is_file() {
        return Ok(());
    }
    let found = match kind {
        kind if kind.is_dir() => return Err(Fault::new(Clause::Directory.english(), Clause::KeepInFile.english())),
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(Fault::new(format!("is not a regular file: it is {found}"), Clause::KeepInFile.english()))
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => Fault::new(Clause::NotThere.english(), Clause::CreateFile.english()),
        io::ErrorKind::PermissionDenied => permission::denied(path),
        kind => Fault::new(format!("can't be read: {kind}"), Clause::CheckDisk.english()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::net::UnixListener,
        sync::{
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
    };

    use super::*;

    /// The disk of these tests: files called `dead…` are answered when a test says so, or never.
    static STARTED: AtomicUsize = AtomicUsize::new(0);

    #[expect(clippy::unnecessary_wraps, reason = "it stands for what reads a disk")]
    fn half_dead_disk(path: &Path) -> Result<SecretSlice<u8>, Fault> {
        STARTED.fetch_add(1, Ordering::SeqCst);
        if path.to_string_lossy().contains("dead") {
            // Nobody ever sends.
            let (sender, receiver) = mpsc::channel::<()>();
            let _ = receiver.recv();
            drop(sender);
        }
        Ok(b"hunter2".to_vec().into())
    }

    /// Lets the reads of a disk look as if they had begun that long ago.
    fn age(readers: &Readers) {
        for reading in readers.running().values_mut() {
            let long_ago = Instant::now().checked_sub(READ_WITHIN).unwrap();
            *reading = Arc::new(Reading { began: long_ago, ..Reading::start() });
        }
    }

    #[test]
    fn a_path_that_hangs_keeps_one_thread_and_delays_nobody_who_asks_again() {
        let readers = Arc::new(Readers::new(half_dead_disk));
        let before = STARTED.load(Ordering::SeqCst);
        for name in ["/x/dead-1", "/x/dead-2", "/y/dead-3"] {
            assert!(readers.join(Path::new(name)).is_ok());
        }
        age(&readers);
        for _ in 0..100 {
            assert_eq!(readers.join(Path::new("/x/dead-1")).unwrap_err(), hangs());
        }
        assert_eq!(readers.running().len(), 3, "one thread for each path");
        let read = readers.join(Path::new("/x/fine")).unwrap().wait().unwrap();
        assert_eq!(read.expose_secret(), b"hunter2", "the others are read");
        assert!(STARTED.load(Ordering::SeqCst) - before >= 1);
    }

    #[test]
    fn a_folder_whose_files_all_hang_is_given_no_further_thread() {
        let readers = Arc::new(Readers::new(half_dead_disk));
        for number in 0..STUCK_IN_FOLDER_MAX {
            assert!(readers.join(Path::new(&format!("/mnt/dead-{number}"))).is_ok());
        }
        age(&readers);
        assert_eq!(readers.join(Path::new("/mnt/another")).unwrap_err(), hangs());
        assert!(readers.join(Path::new("/etc/fine")).unwrap().wait().is_ok(), "other folders are read");
        assert!(readers.running().len() <= STUCK_IN_FOLDER_MAX + 1);
    }

    #[test]
    fn only_a_regular_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink("pipe", at("link")).unwrap();
        for (path, found) in [
            (at("pipe"), "a pipe"),
            (at("link"), "a pipe"),
            (at("socket"), "a socket"),
            (folder.path().to_owned(), "a directory"),
            ("/dev/zero".into(), "a device"),
        ] {
            assert_eq!(read_here(&path).unwrap_err().what, format!("is not a regular file: it is {found}"));
        }
        assert_eq!(read_here(&at("absent")).unwrap_err().what, "does not exist");
    }
}
