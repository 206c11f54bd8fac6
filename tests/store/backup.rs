//! A store in a file is backed up while a service writes to it, and a backup takes its place whole or not at all.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use scorewatch::{
    domain::Caller,
    store::{
        Audit, Checks, Claim, ClaimTerms, EntryFilter, NewEntry, Outbox, StoreError, Upkeep, Verifier,
        sqlite::{
            SqliteStore,
            backup::{Backup, verified},
            restore::{Restored, restore},
        },
    },
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::fixture::*;

async fn backup(database: &Path, target: &Path) -> Result<Backup, StoreError> {
    verified(database, target).await?.place(target)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.at("s.db")
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.store()).await.unwrap()
    }

    async fn restore(&self, from: &Path) -> Result<Restored, StoreError> {
        let entry = NewEntry::by(&Caller::local("ann"), "store.restore", None, at(100));
        restore(&self.store(), from, &entry, at(100)).await
    }

    /// Every file and what is in it; the lock says only who has it.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let named = files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()));
        named.filter(|(name, _)| name != "s.db.lock").collect()
    }
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path).create_if_missing(true)).await.unwrap()
}

async fn run(path: &Path, sql: &'static str) {
    let mut connection = raw(path).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A closed store in which something was sent, and a backup of it.
async fn backed_up() -> (Folder, PathBuf) {
    let folder = Folder::new();
    let store = folder.open().await;
    commit(&store, check("contoso", None, 0)).await;
    store.announce(new_notification("one", None, &["soc"]), at(0)).await.unwrap();
    let claim = store.claim(&channel("soc"), ClaimTerms::default(), at(0)).await.unwrap();
    assert!(matches!(claim, Claim::Send(_)));
    store.close().await;
    let path = folder.at("b.db");
    backup(&folder.store(), &path).await.unwrap();
    (folder, path)
}

#[tokio::test]
async fn a_backup_beside_a_writing_service_is_whole_private_and_one_file() {
    let folder = Folder::new();
    let store = folder.open().await;
    for tenant in 0..50 {
        commit(&store, check(&format!("t{tenant}"), None, 0)).await;
    }
    for round in 0..5_u64 {
        let path = folder.at(&format!("b{round}.db"));
        let writes = async {
            for tenant in 0..50 {
                commit(&store, check(&format!("t{tenant}"), Some(round + 1), 10)).await;
            }
        };
        let from = folder.store();
        let (made, ()) = tokio::join!(backup(&from, &path), writes);
        let made: Backup = made.unwrap();
        assert_eq!((made.contents.rows["tenant"], made.bytes), (50, path.metadata().unwrap().len()));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let quiet = backup(&folder.store(), &folder.at("quiet.db")).await.unwrap();
    assert!(quiet.is_compared, "nobody wrote meanwhile");
    store.close().await;
    let names: Vec<_> = folder.files().into_keys().collect();
    let expected = ["b0.db", "b1.db", "b2.db", "b3.db", "b4.db", "quiet.db", "s.db", "s.db.generation"];
    assert_eq!(names, expected, "nothing else is left");
    let version: i64 = sqlx::query_scalar("SELECT version FROM tenant WHERE tenant = 't7'")
        .fetch_one(&mut raw(&folder.at("quiet.db")).await)
        .await
        .unwrap();
    assert_eq!(version, 6);
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_needs_a_store() {
    let (folder, path) = backed_up().await;
    let before = folder.files();
    for (from, to, part) in [
        (folder.store(), path, "exists, and a backup overwrites nothing"),
        (folder.at("absent.db"), folder.at("new.db"), "there is no store"),
        (folder.store(), folder.at("absent/new.db"), "can't write"),
    ] {
        let why = backup(&from, &to).await.unwrap_err().to_string();
        assert!(why.contains(part), "{why}");
    }
    assert_eq!(folder.files(), before);
}

#[tokio::test]
async fn a_restored_backup_is_the_store_and_the_one_before_is_kept() {
    let (folder, path) = backed_up().await;
    let store = folder.open().await;
    let (identity, origin) = (store.identity().to_owned(), store.origin().to_owned());
    commit(&store, check("contoso", Some(1), 10)).await;
    commit(&store, check("fabrikam", None, 10)).await;
    let refused = folder.restore(&path).await.unwrap_err();
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    store.close().await;

    let restored = folder.restore(&path).await.unwrap();
    assert_eq!((restored.contents.rows["tenant"], restored.path), (1, folder.store()));
    assert_eq!(folder.store().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let replaced = restored.replaced.unwrap();
    assert_eq!(replaced, folder.at("s.db.replaced-20260101T000140Z"));
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM tenant").fetch_one(&mut raw(&replaced).await).await.unwrap();
    assert_eq!(kept, 2);

    let store = folder.open().await;
    assert_eq!(store.identity(), identity);
    assert!(store.origin().starts_with(&format!("{identity}/")) && store.origin() != origin, "a new generation");
    assert_eq!(load(&store, "contoso").await.version, 1);
    let entries = store.entries(&EntryFilter::default()).await.unwrap();
    assert_eq!(entries.iter().map(|entry| &*entry.action).collect::<Vec<_>>(), ["store.restore"]);
    let mut verifier = Verifier::default();
    store.links(0, 10).await.unwrap().iter().try_for_each(|link| verifier.take(link)).unwrap();
    let again = store.origin().to_owned();
    store.close().await;
    let store = folder.open().await;
    assert_eq!(store.origin(), again, "once");
    store.close().await;
}

#[tokio::test]
async fn a_backup_is_restored_where_there_is_no_store_and_draws_a_new_generation() {
    let (folder, path) = backed_up().await;
    let elsewhere = Folder::new();
    let entry = NewEntry::by(&Caller::local("ann"), "store.restore", None, at(100));
    let store = elsewhere.at("data/s.db");
    let restored = restore(&store, &path, &entry, at(100)).await.unwrap();
    assert_eq!(restored.replaced, None);
    let (store, before) = (SqliteStore::open(store).await.unwrap(), folder.open().await);
    assert_ne!(store.origin(), before.origin());
    store.close().await;
    before.close().await;
}

#[tokio::test]
async fn what_a_crash_left_in_the_log_is_kept_with_the_store_that_is_replaced() {
    let (folder, path) = backed_up().await;
    let crashed = Folder::new();
    let store = folder.open().await;
    commit(&store, check("fabrikam", None, 10)).await;
    for ending in ["", "-wal"] {
        fs::copy(folder.at(&format!("s.db{ending}")), crashed.at(&format!("s.db{ending}"))).unwrap();
    }
    store.close().await;
    fs::set_permissions(crashed.store(), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(crashed.at("s.db-wal").metadata().unwrap().len() > 0);
    let replaced = crashed.restore(&path).await.unwrap().replaced.unwrap();
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM tenant").fetch_one(&mut raw(&replaced).await).await.unwrap();
    assert_eq!(kept, 2);
    let store = crashed.open().await;
    assert_eq!(store.schedule().await.unwrap().len(), 1, "the new store has nothing of the old log");
    store.close().await;
}

#[tokio::test]
async fn what_is_not_a_whole_store_is_refused_and_the_store_is_left_as_it_is() {
    let (folder, path) = backed_up().await;
    let broken = |name: &str| {
        let to = folder.at(name);
        fs::copy(&path, &to).unwrap();
        to
    };
    let truncated = broken("truncated.db");
    let bytes = fs::read(&truncated).unwrap();
    fs::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();
    let garbage = broken("garbage.db");
    fs::write(&garbage, "no database, but long enough to be taken for one".repeat(100)).unwrap();
    let empty = broken("empty.db");
    fs::write(&empty, "").unwrap();
    let newer = broken("newer.db");
    run(&newer, "PRAGMA user_version = 99").await;
    let dangling = broken("dangling.db");
    run(&dangling, "PRAGMA foreign_keys = OFF; DELETE FROM notification").await;
    let theirs = folder.at("theirs.db");
    run(&theirs, "CREATE TABLE theirs (x)").await;
    let before = folder.files();
    for (from, part) in [
        (truncated, "can't be restored"),
        (garbage, "not a SQLite database"),
        (empty, "it is empty"),
        (newer, "newer version"),
        (dangling, "refers to one that is missing"),
        (theirs, "another program's"),
        (folder.at("absent.db"), "can't be read"),
        (folder.store(), "is the store itself"),
        (folder.0.path().to_owned(), "is not a file"),
    ] {
        let refused = folder.restore(&from).await.unwrap_err();
        assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
        assert!(refused.to_string().contains(part), "{refused}");
        assert_eq!(folder.files(), before, "{refused}");
    }
    let other = Folder::new();
    let store = other.open().await;
    let refused = folder.restore(&other.store()).await.unwrap_err().to_string();
    assert!(refused.contains("another service works on it"), "{refused}");
    store.close().await;
    assert_eq!(folder.files(), before);
}
