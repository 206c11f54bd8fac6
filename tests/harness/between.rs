//! Stands before a PostgreSQL server's socket, and fails as networks and the machines between do.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use scorewatch::store::postgres::PostgresSettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::AbortHandle,
};

use super::postgres::Postgres;

/// How the writer ends its transactions; nobody else does in these words.
const COMMIT: &[u8] = b"SELECT 1; COMMIT";
const SOCKET: &str = ".s.PGSQL.5432";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing is passed on, and nobody learns why.
    Silence,
    /// Every connection ends, and so does whatever is opened anew.
    Cut,
    /// Of what comes next on a connection, half is passed on; then it ends.
    Half,
    /// Everything is passed on late by that much.
    Delay(Duration),
    /// The next commit of a writer reaches the server, and its answer nobody.
    CommitUnanswered,
    /// The next commit of a writer reaches nobody.
    CommitLost,
}

/// A way to the server that can be troubled; dropping it closes it.
pub(crate) struct Between {
    folder: tempfile::TempDir,
    trouble: watch::Sender<Option<Trouble>>,
    /// Where new connections lead.
    there: Arc<Mutex<PathBuf>>,
    accepting: AbortHandle,
}

impl Between {
    pub(crate) fn new(server: &Postgres) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        // A standby runs as another user.
        for (path, mode) in [(folder.path().to_owned(), 0o755), (folder.path().join(SOCKET), 0o777)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let trouble = watch::Sender::new(None);
        let there = Arc::new(Mutex::new(server.folder().join(SOCKET)));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&there), trouble.clone())).abort_handle();
        Self { folder, trouble, there, accepting }
    }

    /// Leads to another server from now on; connections to the one before end with it.
    pub(crate) fn lead_to(&self, server: &Postgres) {
        *self.there.lock().unwrap() = server.folder().join(SOCKET);
    }

    /// The folder of its socket, where every user of this machine reaches it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How a database is reached this way.
    pub(crate) fn to(&self, database: &PostgresSettings) -> PostgresSettings {
        PostgresSettings { host: self.folder.path().display().to_string(), ..database.clone() }
    }

    /// What goes wrong from now on, until it is set to something else or, if it happens once, has happened.
    pub(crate) fn set(&self, trouble: Option<Trouble>) {
        self.trouble.send_replace(trouble);
    }

    /// Waits until what happens once has happened.
    pub(crate) async fn is_over(&self) {
        // The sender lives as long as this.
        let _ = self.trouble.subscribe().wait_for(Option::is_none).await;
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: UnixListener, there: Arc<Mutex<PathBuf>>, trouble: watch::Sender<Option<Trouble>>) {
    // Owns the connections, so that aborting it closes them.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let there = there.lock().unwrap().clone();
        connections.spawn(serve(client, there, trouble.clone()));
    }
}

/// Serves a connection until either side, or what is wrong, ends it.
async fn serve(client: UnixStream, there: PathBuf, trouble: watch::Sender<Option<Trouble>>) {
    let Ok(server) = UnixStream::connect(&there).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let mut cut = trouble.subscribe();
    let is_unanswered = Arc::new(AtomicBool::new(false));
    let asks = Way { trouble: trouble.clone(), is_unanswered: Arc::clone(&is_unanswered), is_request: true };
    let answers = Way { trouble, is_unanswered, is_request: false };
    tokio::select! {
        () = asks.pass_on(from_client, to_server) => {}
        () = answers.pass_on(from_server, to_client) => {}
        _ = cut.wait_for(|trouble| *trouble == Some(Trouble::Cut)) => {}
    }
}

/// One direction of a connection.
struct Way {
    trouble: watch::Sender<Option<Trouble>>,
    /// Whether the answer to what was asked last is kept back.
    is_unanswered: Arc<AtomicBool>,
    is_request: bool,
}

impl Way {
    async fn pass_on(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = vec![0; 65_536];
        let mut trouble = self.trouble.subscribe();
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            if trouble.wait_for(|trouble| *trouble != Some(Trouble::Silence)).await.is_err() {
                return;
            }
            let now = *self.trouble.borrow();
            let is_commit = self.is_request && bytes[..count].windows(COMMIT.len()).any(|part| part == COMMIT);
            let mut passes = count;
            match now {
                Some(Trouble::Delay(delay)) => tokio::time::sleep(delay).await,
                Some(Trouble::Cut) => return,
                Some(Trouble::Half) => passes = count / 2,
                Some(Trouble::CommitUnanswered) if is_commit => self.is_unanswered.store(true, Ordering::SeqCst),
                Some(Trouble::CommitUnanswered) if self.is_unanswered.load(Ordering::SeqCst) => {
                    self.trouble.send_replace(None);
                    return;
                }
                Some(Trouble::CommitLost) if is_commit => {
                    self.trouble.send_replace(None);
                    return;
                }
                _ => {}
            }
            if to.write_all(&bytes[..passes]).await.is_err() || passes < count {
                return;
            }
        }
    }
}
