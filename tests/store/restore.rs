//! A store that was restored from a backup gives new events new ids; whatever else happens to it, ids stay as they were.

use std::{fs, path::Path};

use scorewatch::store::{Claim, ClaimTerms, Outbox, Upkeep, sqlite::SqliteStore};

use super::fixture::{at, channel, new_notification};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn database(&self) -> std::path::PathBuf {
        self.0.path().join("s.db")
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.database()).await.unwrap()
    }

    /// Copies the closed database, without the file beside it.
    fn copy(&self, to: &Path) {
        fs::copy(self.database(), to).unwrap();
        for ending in ["-wal", "-shm"] {
            let beside = |path: &Path| std::path::PathBuf::from(format!("{}{ending}", path.display()));
            let _ = fs::remove_file(beside(to));
            if beside(&self.database()).exists() {
                fs::copy(beside(&self.database()), beside(to)).unwrap();
            }
        }
    }
}

/// Announces something to `soc`, and takes it for sending.
async fn send(store: &SqliteStore, id: &str) {
    assert!(store.announce(new_notification(id, None, &["soc"]), at(0)).await.unwrap());
    let Claim::Send(claimed) = store.claim(&channel("soc"), ClaimTerms::default(), at(0)).await.unwrap() else {
        panic!("nothing to send");
    };
    let delivered = scorewatch::store::AttemptOutcome::Delivered;
    store.settle(claimed.id, claimed.attempt, delivered, None, at(1)).await.unwrap();
}

async fn origin(folder: &Folder) -> String {
    let store = folder.open().await;
    let origin = store.origin().to_owned();
    store.close().await;
    origin
}

#[tokio::test]
async fn a_restart_changes_nothing_and_a_restored_backup_gets_another_generation() {
    let (folder, backup) = (Folder::new(), Folder::new());
    let store = folder.open().await;
    let (identity, first) = (store.identity().to_owned(), store.origin().to_owned());
    assert_eq!(identity, first);
    send(&store, "one").await;
    store.close().await;
    assert_eq!(origin(&folder).await, first, "a restart");
    folder.copy(&backup.database());
    let store = folder.open().await;
    send(&store, "two").await;
    store.close().await;
    assert_eq!(origin(&folder).await, first, "another restart");
    // The backup comes back: it knows nothing of the second message.
    fs::copy(backup.database(), folder.database()).unwrap();
    let restored = origin(&folder).await;
    assert!(restored.starts_with(&format!("{identity}/")), "{restored}");
    assert_eq!(origin(&folder).await, restored, "once");
    let beside = SqliteStore::open_reader(folder.database()).await.unwrap();
    assert_eq!((beside.identity(), beside.origin()), (identity.as_str(), restored.as_str()));
    beside.close().await;
    // And once more.
    fs::copy(backup.database(), folder.database()).unwrap();
    assert_ne!(origin(&folder).await, restored);
}

#[tokio::test]
async fn a_copy_without_the_file_beside_it_counts_as_restored_and_a_backup_of_the_same_moment_does_not() {
    let (folder, copy) = (Folder::new(), Folder::new());
    let store = folder.open().await;
    send(&store, "one").await;
    store.close().await;
    let first = origin(&folder).await;
    folder.copy(&copy.database());
    assert_ne!(origin(&copy).await, first);
    fs::copy(copy.database(), copy.0.path().join("unused")).unwrap();
    // Nothing was sent since it was made, so nothing can be taken for something else.
    let same = Folder::new();
    folder.copy(&same.database());
    fs::copy(folder.0.path().join("s.db.generation"), same.0.path().join("s.db.generation")).unwrap();
    assert_eq!(origin(&same).await, first);
}

#[tokio::test]
async fn whatever_lies_in_the_file_opens_the_store() {
    for text in ["", "x", "a\nb\n", "\u{0}\u{0}\n\n", &"9".repeat(5000)] {
        let folder = Folder::new();
        let store = folder.open().await;
        send(&store, "one").await;
        store.close().await;
        fs::write(folder.0.path().join("s.db.generation"), text).unwrap();
        let other = origin(&folder).await;
        assert_eq!(origin(&folder).await, other);
    }
}
