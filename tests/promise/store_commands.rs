//! A store is made, backed up beside the service, and restored by commands that refuse whatever would lose something.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::harness::{Arrived, HIGH, LOW, SOC, World, kinds, postgres::Postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_made_beside_the_service_and_restored_without_it() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    let backup = world.folder.path().join("backup.db");
    let file = backup.to_str().unwrap();
    let made = world.command(&["backup", file]).await;
    assert!(made.status.success(), "{made:?}");
    assert!(String::from_utf8_lossy(&made.stdout).contains("verified: integrity"), "{made:?}");
    assert_eq!(backup.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(world.command(&["backup", file]).await.status.code(), Some(2), "it overwrites nothing");
    let written = world.command(&["backup", "-"]).await;
    let said = String::from_utf8_lossy(&written.stderr);
    assert!(written.status.success() && said.contains("backed up to standard output: schema"), "{said}");
    assert!(written.stdout.starts_with(b"SQLite format 3\0") && written.stdout.len() % 4096 == 0);
    let left = fs::read_dir(world.folder.path().join("data")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| name.to_string_lossy().starts_with("scorewatch.db")), "nothing else is left");
    assert_eq!(world.command(&["backup", "-", "--json"]).await.status.code(), Some(2));
    let refused = world.command(&["restore", file]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    world.set_score("contoso", LOW);
    world.settle(&service, SOC).await;
    let first = world.accepted(SOC, "contoso").remove(0);
    assert!(service.stop().await.success());

    let restored = world.command(&["restore", file, "--json"]).await;
    assert!(restored.status.success(), "{restored:?}");
    let restored: Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert!(restored["replaced"].as_str().unwrap().contains("scorewatch.db.replaced-"), "{restored}");
    let service = world.run().await;
    assert!(service.log().contains("the store was restored from a backup"), "{}", service.log());
    // Messages of the other tenant are sent again as well, so they say nothing of what else has arrived.
    let of_contoso = |arrived: &[Arrived]| arrived.iter().filter(|one| one.accepted && one.tenant == "contoso").count();
    world.until(&service, SOC, |arrived| of_contoso(arrived) > 1).await;
    let arrived = world.accepted(SOC, "contoso");
    assert_eq!(kinds(&arrived), [("alert.firing", 1), ("alert.firing", 1)], "the backup knows nothing of the alert");
    assert_ne!(arrived[1].id, first.id, "so a receiver that drops duplicates does not drop it");
    world.set_score("contoso", HIGH);
    world.until(&service, SOC, |arrived| of_contoso(arrived) > 2).await;
    assert_eq!(world.accepted(SOC, "contoso")[2].kind, "alert.resolved");
    let recorded = world.listing(&["audit", "list", "--json"]).await;
    let recorded: Vec<_> = recorded.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect();
    assert!(recorded.contains(&"store.restore".to_owned()), "{recorded:?}");
    assert!(service.stop().await.success());
}

async fn migrates(world: &World) {
    for (arguments, code, part) in [
        (&["migrate", "--check"][..], 1, "there is no store yet"),
        (&["migrate"], 0, "the store was made with schema"),
        (&["migrate", "--check"], 0, "there is nothing to do"),
        (&["migrate"], 0, "there is nothing to do"),
    ] {
        let output = world.command(arguments).await;
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(part), "{output:?}");
    }
    let service = world.run().await;
    let beside = world.command(&["migrate", "--json"]).await;
    let said: Value = serde_json::from_slice(&beside.stdout).unwrap();
    assert_eq!((beside.status.code(), &said["is_current"]), (Some(0), &true.into()), "{beside:?}");
    assert!(service.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_can_be_recorded_a_backup_is_made_and_nothing_is_sent() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    assert!(service.stop().await.success());
    let store = SqliteConnectOptions::new().filename(world.folder.path().join("data/scorewatch.db"));
    let mut store = SqliteConnection::connect_with(&store).await.unwrap();
    let rule = "CREATE TRIGGER refuses BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END";
    sqlx::query(rule).execute(&mut store).await.unwrap();
    store.close().await.unwrap();

    let backup = world.folder.path().join("backup.db");
    let made = world.command(&["backup", backup.to_str().unwrap()]).await;
    let said = String::from_utf8_lossy(&made.stderr);
    assert_eq!(made.status.code(), Some(1), "{said}");
    assert!(said.contains("complete and verified") && said.contains("could not be recorded"), "{said}");
    assert!(!said.contains("nothing was done"), "{said}");
    assert!(fs::read(&backup).unwrap().starts_with(b"SQLite format 3\0"));
    let piped = world.command(&["backup", "-"]).await;
    assert_eq!((piped.status.code(), &piped.stdout[..6]), (Some(1), &b"SQLite"[..]));

    let sent = world.command(&["preview", "--rule", "device-score-low", "--channel", SOC, "--send"]).await;
    let said = String::from_utf8_lossy(&sent.stderr);
    assert!(!sent.status.success() && said.contains("nothing was done"), "{said}");
    assert!(world.receivers.received().is_empty(), "a test message was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tables_of_a_file_are_made_without_the_service() {
    let world = World::new().await;
    world.write();
    migrates(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn tables_in_postgresql_are_made_without_the_service_and_what_is_for_files_is_refused_there() {
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&Postgres::shared().database().await);
    world.write();
    migrates(&world).await;
    for (command, part) in [("backup", "pg_dump"), ("restore", "pg_restore")] {
        let refused = world.command(&[command, "x.db"]).await;
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(part), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_the_database_no_longer_refuses_to_change_the_audit_log_is_said_by_verify_doctor_and_the_service() {
    let world = World::new().await;
    let service = world.run().await;
    assert!(service.log().contains("the audit log's newest entry"), "{}", service.log());
    assert!(service.stop().await.success());
    let verified = world.command(&["audit", "verify"]).await;
    let said = String::from_utf8_lossy(&verified.stdout);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    let head = said.lines().find_map(|line| line.strip_prefix("newest entry: ")).unwrap().to_owned();

    let store = SqliteConnectOptions::new().filename(world.folder.path().join("data/scorewatch.db"));
    let mut store = SqliteConnection::connect_with(&store).await.unwrap();
    sqlx::query("DROP TRIGGER audit_is_unchanged").execute(&mut store).await.unwrap();
    store.close().await.unwrap();

    let verified = world.command(&["audit", "verify", "--head", &head]).await;
    let said = String::from_utf8_lossy(&verified.stderr);
    assert_eq!(verified.status.code(), Some(1), "{said}");
    assert!(said.contains("no longer refuses to change them: `audit_is_unchanged`"), "{said}");
    let verified = world.command(&["audit", "verify", "--json"]).await;
    let verdict: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(verified.status.code(), Some(1), "{verified:?}");
    assert_eq!((&verdict["broken"], &verdict["missing_guards"][0]), (&Value::Null, &"audit_is_unchanged".into()));
    let doctor = world.command(&["doctor"]).await;
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(said.contains("no longer refuses to change the audit log: audit_is_unchanged is missing"), "{said}");
    let service = world.run().await;
    assert!(service.log().contains("triggers were removed or changed"), "{}", service.log());
    assert!(service.stop().await.success());
}
