//! What is particular to the embedded store: its file, its lock, its schema.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use scorewatch::{
    domain::{ScoreKind, SeriesKey, Timestamp},
    store::{Checks, ClaimTerms, Fleet, Listings, Outbox, Owed, StoreError, Upkeep, sqlite::SqliteStore},
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    fixture::*,
    fleet::{covered_by, due, fires, known, note, notice, of, states},
};

fn file(directory: &Path) -> PathBuf {
    directory.join("data/s.db")
}

async fn refusal(path: &Path) -> String {
    match SqliteStore::open(path).await {
        Err(StoreError::Open(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

async fn raw(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let connection = SqliteConnection::connect_with(&options).await.unwrap();
    if path.exists() {
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }
    connection
}

/// What a crash now would leave: the files as they are, in another directory.
fn crash_image(from: &Path, to: &Path) -> PathBuf {
    let path = file(to);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for ending in ["", "-wal"] {
        fs::copy(format!("{}{ending}", from.display()), format!("{}{ending}", path.display())).unwrap();
    }
    path
}

#[tokio::test]
async fn a_second_service_is_refused_with_the_owner_of_the_store_until_the_first_ends() {
    let directory = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(file(directory.path())).await.unwrap();
    let Err(StoreError::InUse(owner)) = SqliteStore::open(file(directory.path())).await else { panic!("not refused") };
    assert!(owner.contains(&std::process::id().to_string()), "{owner}");
    first.close().await;
    SqliteStore::open(file(directory.path())).await.unwrap();
}

#[tokio::test]
async fn files_are_ours_alone_the_service_closes_wider_ones_and_other_commands_refuse_them_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(directory.path());
    let store = SqliteStore::open(&path).await.unwrap();
    store.heartbeat(at(0)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for ending in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(Path::new(&format!("{}{ending}", path.display()))), 0o600, "{ending}");
    }
    store.close().await;
    for wide in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, Permissions::from_mode(wide)).unwrap();
        let refused = SqliteStore::open_reader(&path).await.err().unwrap().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
        SqliteStore::open(&path).await.unwrap().close().await;
        assert_eq!(mode(&path), 0o600);
    }
}

#[tokio::test]
async fn foreign_and_newer_files_are_refused_and_left_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let garbage = directory.path().join("garbage.db");
    fs::write(&garbage, "no database ".repeat(400)).unwrap();
    fs::set_permissions(&garbage, Permissions::from_mode(0o600)).unwrap();
    assert!(refusal(&garbage).await.contains("not a SQLite database"));

    let foreign = directory.path().join("foreign.db");
    let mut connection = raw(&foreign).await;
    sqlx::query("CREATE TABLE theirs (x)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let before = fs::read(&foreign).unwrap();
    assert!(refusal(&foreign).await.contains("another program"));
    assert_eq!(fs::read(&foreign).unwrap(), before);

    let newer = directory.path().join("newer.db");
    SqliteStore::open(&newer).await.unwrap().close().await;
    let mut connection = raw(&newer).await;
    sqlx::query("PRAGMA user_version = 99").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let why = refusal(&newer).await;
    assert!(why.contains("newer version") && why.contains("99"), "{why}");
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(directory.path())).await.unwrap();
    commit(&store, check("contoso", None, 0)).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let image = crash_image(&file(directory.path()), elsewhere.path());
    let after = SqliteStore::open(&image).await.unwrap();
    assert_eq!(load(&after, "contoso").await.version, 1);
}

#[tokio::test]
async fn damage_is_found_after_an_unclean_stop() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(directory.path())).await.unwrap();
    for index in 0..300 {
        commit(&store, check(&format!("t{index}"), None, 0)).await;
    }
    store.close().await;
    let path = file(directory.path());
    let mut connection = raw(&path).await;
    sqlx::query("UPDATE meta SET value = '0' WHERE key = 'clean'").execute(&mut connection).await.unwrap();
    let root: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_tenant_1'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let page = usize::try_from(root - 1).unwrap() * 4096;
    bytes[page..page + 4096].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    assert!(refusal(&path).await.contains("damaged"));
}

#[tokio::test]
async fn a_reader_beside_the_service_sees_its_commits_and_may_write_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(directory.path());
    assert!(matches!(SqliteStore::open_reader(&path).await, Err(StoreError::Open(_))), "nothing there yet");
    let service = SqliteStore::open(&path).await.unwrap();
    let beside = SqliteStore::open_reader(&path).await.unwrap();
    assert_eq!(beside.identity(), service.identity());
    for index in 0..20 {
        let name = format!("t{index}");
        let (one, other) = tokio::join!(
            service.commit(check(&name, None, 0)),
            beside.announce(new_notification(&name, None, &["soc"]), at(0))
        );
        one.unwrap();
        assert!(other.unwrap());
        assert_eq!(load(&beside, &name).await.version, 1);
    }
    beside.close().await;
    assert_eq!(service.totals().await.unwrap().deliveries[0].2, 20);
    commit(&service, check("contoso", None, 0)).await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_error_to_its_reader_and_to_nobody_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(directory.path());
    let store = SqliteStore::open(&path).await.unwrap();
    let mut outcome = check("contoso", None, 0);
    outcome.series = vec![series(vec![sample(0, 1.0)], Duration::from_secs(1))];
    commit(&store, outcome).await;
    store.announce(new_notification("one", None, &["soc"]), at(0)).await.unwrap();
    let mut connection = raw(&path).await;
    sqlx::query("UPDATE series SET recent = x'ffffff'").execute(&mut connection).await.unwrap();
    sqlx::query("UPDATE notification SET body = '{'").execute(&mut connection).await.unwrap();
    let undecodable = |error: &StoreError| matches!(error, StoreError::Undecodable(_));
    assert!(undecodable(&store.load(&[tenant("contoso")]).await.unwrap_err()));
    let key = SeriesKey { tenant: tenant("contoso"), score: ScoreKind::DeviceSecureScore, subject: None };
    assert!(undecodable(&store.history(&key, Timestamp::EPOCH).await.unwrap_err()));
    let soc = channel("soc");
    let (claimed, committed) =
        tokio::join!(store.claim(&soc, ClaimTerms::default(), at(1)), store.commit(check("fabrikam", None, 86_400)));
    assert!(undecodable(&claimed.unwrap_err()));
    committed.unwrap();
    commit(&store, check("contoso", Some(1), 86_400)).await;
}

#[tokio::test]
async fn a_shift_is_reported_only_if_all_its_notices_can_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(directory.path())).await.unwrap();
    fires(&store, "t1", "soc", 50).await;
    fires(&store, "t2", "own", 50).await;
    note(&store, known("shift", 10)).await;
    let runs = due(&store, 50).await;
    let mut beside = raw(&file(directory.path())).await;
    let refusing = "CREATE TRIGGER refuse BEFORE INSERT ON delivery WHEN NEW.channel = 'own' \
                    BEGIN SELECT RAISE(ABORT, 'refused'); END";
    sqlx::query(refusing).execute(&mut beside).await.unwrap();
    let notices = || vec![notice("soc", &[&runs[0]]), notice("own", &[&runs[1]])];
    store.notify_shift(known("shift", 10), notices(), at(60)).await.unwrap_err();
    assert_eq!(states(&store).await, of(&[("soc", "held"), ("own", "held")]));
    assert_eq!(covered_by(&store, "t1").await, None);
    sqlx::query("DROP TRIGGER refuse").execute(&mut beside).await.unwrap();
    assert!(store.notify_shift(known("shift", 10), notices(), at(61)).await.unwrap(), "and is sent later");
}

/// The schema as it was when fleet shifts explained alerts away.
const SCHEMA_8: [&str; 8] = [
    include_str!("../../src/store/sqlite/migrations/0001.sql"),
    include_str!("../../src/store/sqlite/migrations/0002.sql"),
    include_str!("../../src/store/sqlite/migrations/0003.sql"),
    include_str!("../../src/store/sqlite/migrations/0004.sql"),
    include_str!("../../src/store/sqlite/migrations/0005.sql"),
    include_str!("../../src/store/sqlite/migrations/0006.sql"),
    include_str!("../../src/store/sqlite/migrations/0007.sql"),
    include_str!("../../src/store/sqlite/migrations/0008.sql"),
];

#[tokio::test]
async fn what_an_earlier_version_explained_away_and_still_fires_owes_a_notification() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(directory.path());
    // A store of today, to write what one of that version says in the places that never change.
    SqliteStore::open(&path).await.unwrap().close().await;
    let mut today = raw(&path).await;
    let application: i64 =
        sqlx::query_scalar("SELECT application_id FROM pragma_application_id").fetch_one(&mut today).await.unwrap();
    today.close().await.unwrap();
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    fs::create_dir(path.parent().unwrap()).unwrap();
    let mut old = raw(&path).await;
    let body = serde_json::to_string(&firing(3, 2)).unwrap();
    let rows: Vec<String> = [("t1", 1, "firing"), ("t2", 1, "resolved"), ("t3", 0, "firing")]
        .iter()
        .zip(1..)
        .map(|((name, explained, state), number)| {
            let key = serde_json::to_string(&key(name, "low")).unwrap();
            format!(
                "INSERT INTO tenant (id, tenant, version, adopted_at, next_due_at) VALUES ({number}, '{name}', 7, 0, 0); \
                 INSERT INTO alert (key, tenant_id, rule, score, state, body, generation, changed_at, told_at, \
                 told_generation, told_to, explained) VALUES ('{key}', {number}, 'low', 'device-secure-score', '{state}', \
                 '{body}', 3, 0, 5, 3, '[\"soc\"]', {explained});"
            )
        })
        .collect();
    let deliveries = "INSERT INTO notification (id, type, at, body) VALUES ('n', 'operator.away', 0, '{\"type\":\"operator.away\"}'); \
                      INSERT INTO delivery (notification_id, channel, state, queued_at, next_attempt_at, finished_at, possible_repeat) \
                      VALUES ('n', 'soc', 'carried', 0, 0, 1, 1), ('n', 'own', 'withheld', 0, 0, 1, 0);";
    let script = format!(
        "{} INSERT INTO meta VALUES ('identity', 'old'), ('clean', '1'); {} PRAGMA application_id = {application}; \
         PRAGMA user_version = 8;",
        SCHEMA_8.join("\n"),
        rows.join(" ") + deliveries
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut old).await.unwrap();
    old.close().await.unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    for (name, owes) in [("t1", Some(Owed::Notification)), ("t2", None), ("t3", None)] {
        let alert = load(&store, name).await.alerts.remove(0);
        assert_eq!((alert.owes, alert.notified_channels), (owes, vec![channel("soc")]), "{name}");
    }
    let wanted: Vec<_> = store.rechecks_requested().await.unwrap().into_iter().map(|(tenant, _)| tenant).collect();
    assert_eq!(wanted, [tenant("t1")], "and is looked at at once");
    store.close().await;
    let sql = "SELECT d.state, d.possible_duplicate, n.type, n.body ->> 'type' FROM delivery AS d \
               JOIN notification AS n ON n.id = d.notification_id ORDER BY d.id";
    let found: Vec<(String, i64, String, String)> = sqlx::query_as(sql).fetch_all(&mut raw(&path).await).await.unwrap();
    let downtime = || "operator.downtime".to_owned();
    let expected =
        [("merged", 1), ("suppressed", 0)].map(|(state, may)| (state.to_owned(), may, downtime(), downtime()));
    assert_eq!(found, expected, "states and types have their new names");
    let line: scorewatch::notify::NotificationType = serde_json::from_str(r#""operator.away""#).unwrap();
    assert_eq!(line.as_str(), "operator.downtime", "so does a line of a digest");
}
