//! A store of the schema before the queue had columns of its own is taken over as it is: what its messages say of themselves stands
//! in columns afterwards, and what it held, queued and had acknowledged goes on.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use scorewatch::{
    domain::{ScoreKind, Severity, TenantId, Timestamp},
    notify::{
        Hold, HoldReason, NotificationType,
        notification::{AlertFacts, OperatorFacts, ScoreFacts},
        release::HeldGroup,
        silence::Acknowledgement,
    },
    rule::{AlertState, Resolution},
    store::{AttemptOutcome, Claim, ClaimTerms, NewNotification, Outbox, Store, Upkeep, sqlite::SqliteStore},
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::fixture::*;

/// The schema in which the queue looked into messages.
const SCHEMA_13: [&str; 13] = [
    include_str!("../../src/store/sqlite/migrations/0001.sql"),
    include_str!("../../src/store/sqlite/migrations/0002.sql"),
    include_str!("../../src/store/sqlite/migrations/0003.sql"),
    include_str!("../../src/store/sqlite/migrations/0004.sql"),
    include_str!("../../src/store/sqlite/migrations/0005.sql"),
    include_str!("../../src/store/sqlite/migrations/0006.sql"),
    include_str!("../../src/store/sqlite/migrations/0007.sql"),
    include_str!("../../src/store/sqlite/migrations/0008.sql"),
    include_str!("../../src/store/sqlite/migrations/0009.sql"),
    include_str!("../../src/store/sqlite/migrations/0010.sql"),
    include_str!("../../src/store/sqlite/migrations/0011.sql"),
    include_str!("../../src/store/sqlite/migrations/0012.sql"),
    include_str!("../../src/store/sqlite/migrations/0013.sql"),
];

/// The columns of a message's row, every one.
const MESSAGES: &str = "SELECT json_array(id, type, tenant, alert_key, at, body, said_at, began_at, sequence, is_over, resolution, \
    observed_at, severity, loss_percent, is_operator) FROM notification ORDER BY id";
/// What the queue knows of an alert.
const ALERTS: &str =
    "SELECT json_array(key, generation, taken_back, notified_channels, acknowledged_at) FROM alert ORDER BY key";

async fn raw(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn rows(path: &Path, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(&mut raw(path).await).await.unwrap()
}

fn began() -> Timestamp {
    Timestamp::from_nanos(at(6).as_nanos() + 100)
}

/// A message about `contoso`'s alert by that rule, observed at an instant with that many nanoseconds.
fn says(rule: &str, kind: NotificationType, sequence: u64, nanos: i64, hold: Option<Hold>) -> NewNotification {
    let mut new = new_notification(&format!("{rule}-{sequence}"), Some(key("contoso", rule)), &["soc", "own"]);
    let is_over = kind == NotificationType::AlertResolved;
    let at = Timestamp::from_nanos(at(7).as_nanos() + nanos);
    (new.notification.kind, new.notification.timestamp, new.hold) = (kind, at, hold);
    let data = &mut new.notification.data;
    data.notification.sequence = sequence;
    data.alert = Some(AlertFacts {
        id: format!("alert_{rule}"),
        state: if is_over { "resolved" } else { "firing" }.to_owned(),
        severity: if sequence == 1 { Severity::Critical } else { Severity::Info },
        started_at: began(),
        resolved_at: is_over.then_some(at),
        reason: None,
        remark: None,
        escalation: None,
        resolution: is_over.then_some(Resolution::Accepted),
        resolved_by: None,
    });
    data.score = Some(ScoreFacts {
        kind: ScoreKind::DeviceSecureScore,
        all: false,
        gap: None,
        subject: None,
        unit: "points".to_owned(),
        value: Some(1.0),
        baseline: Some(2.0),
        previous: None,
        loss: Some(1.0),
        loss_percent: (sequence == 1).then_some(12.5),
        observed_at: (sequence != 2).then_some(at),
        points: None,
        comparison: None,
        excluded: None,
    });
    new
}

fn for_operator() -> NewNotification {
    let mut new = new_notification("operator", None, &["soc"]);
    new.notification.kind = NotificationType::OperatorChannel;
    new.notification.data.operator = Some(OperatorFacts {
        summary: "a channel fails".to_owned(),
        class: "gone".to_owned(),
        ..OperatorFacts::default()
    });
    new
}

/// Fills a store: an alert that fires and got worse after a person had seen it, and messages that are held, queued and for nobody's
/// alert.
async fn fill(store: &dyn Store) {
    let mut alert = firing(1, 3);
    if let AlertState::Firing(firing) = &mut alert.state {
        firing.taken_back = 2;
    }
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("low", alert)];
    commit(store, outcome).await;
    let hold = |why| Some(Hold { why, until: at(40) });
    for (new, seconds) in [
        (says("low", NotificationType::AlertFiring, 1, 0, None), 1),
        (says("held", NotificationType::AlertFiring, 1, 123, hold(HoldReason::Silence)), 2),
        (says("held", NotificationType::AlertReminder, 2, 100_000_000, None), 3),
        (says("fleet", NotificationType::AlertResolved, 3, 123_456_700, hold(HoldReason::Fleet)), 4),
        (for_operator(), 5),
    ] {
        assert!(store.announce(new, at(seconds)).await.unwrap());
    }
    let seen = Acknowledgement { at: at(6), by: "a".to_owned(), comment: String::new() };
    assert!(store.acknowledge(&key("contoso", "low"), seen, by_ann(at(0))).await.unwrap());
    assert!(store.announce(says("low", NotificationType::AlertWorsened, 3, 5, None), at(7)).await.unwrap());
    assert!(store.announce(new_notification("unreadable", None, &["lost"]), at(8)).await.unwrap());
}

/// What schema 13 called columns and tables that have other names today.
const RENAMED: [(&str, &str); 10] = [
    ("adopted_at", "first_seen_at"),
    ("wanted_at", "recheck_requested_at"),
    ("told_at", "notified_at"),
    ("told_generation", "notified_generation"),
    ("told_to", "notified_channels"),
    ("tell_at", "notify_at"),
    ("carrier", "merged_into"),
    ("rest_from", "cooldown_from"),
    ("rest_until", "cooldown_until"),
    ("away", "downtime"),
];

/// The name that a column or table of schema 13 has today.
fn name_today(old: &str) -> &str {
    RENAMED.iter().find(|(before, _)| *before == old).map_or(old, |(_, today)| today)
}

/// Writes a store of schema 13 that holds what the one of today holds, as far as that schema can say it.
async fn left_behind(today: &Path, old: &Path) {
    fs::create_dir_all(old.parent().unwrap()).unwrap();
    let mut connection = raw(old).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(SCHEMA_13.join("\n"))).execute(&mut connection).await.unwrap();
    sqlx::query("ATTACH DATABASE ? AS today").bind(today.to_str().unwrap()).execute(&mut connection).await.unwrap();
    let application: i64 = sqlx::query_scalar("PRAGMA today.application_id").fetch_one(&mut connection).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut connection).await.unwrap();
    for table in tables {
        let columns: String = sqlx::query_scalar("SELECT group_concat(name) FROM pragma_table_info(?)")
            .bind(&table)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        let columns_today: Vec<&str> = columns.split(',').map(name_today).collect();
        let (from, table_today) = (columns_today.join(","), name_today(&table));
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {from} FROM today.{table_today}");
        sqlx::query(sqlx::AssertSqlSafe(copy)).execute(&mut connection).await.unwrap();
    }
    let script = format!(
        "UPDATE alert SET body = replace(replace(body, '\"worst_notified', '\"worst_told'), '\"worst_before', '\"untold'); \
         DELETE FROM meta WHERE key LIKE 'usable_since.%'; PRAGMA application_id = {application}; PRAGMA user_version = 13;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    fs::set_permissions(old, fs::Permissions::from_mode(0o600)).unwrap();
}

async fn held(store: &dyn Store) -> Vec<HeldGroup> {
    store.held_due(at(50), 100).await.unwrap()
}

#[tokio::test]
async fn what_an_earlier_version_left_to_its_messages_stands_in_columns_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (today, old) = (directory.path().join("today/s.db"), directory.path().join("old/s.db"));
    let store = SqliteStore::open(&today).await.unwrap();
    fill(&store).await;
    let (runs, alerts) = (held(&store).await, load(&store, "contoso").await.alerts);
    assert_eq!(runs.len(), 4, "two alerts are held for two channels");
    assert_eq!(runs[0].envelope.tenant, Some(TenantId::parse("contoso").unwrap()));
    assert_eq!(runs[0].envelope.alert, Some(key("contoso", "held")));
    store.close().await;
    // What can't be read must not keep the store from being opened.
    let unreadable = "UPDATE notification SET body = '{', said_at = at, sequence = 0 WHERE id = (SELECT notification_id FROM delivery \
                      WHERE channel = 'lost')";
    sqlx::query(unreadable).execute(&mut raw(&today).await).await.unwrap();
    left_behind(&today, &old).await;

    let store = SqliteStore::open(&old).await.unwrap();
    assert_eq!(rows(&old, MESSAGES).await, rows(&today, MESSAGES).await);
    assert_eq!(rows(&old, ALERTS).await, rows(&today, ALERTS).await);
    assert_eq!(held(&store).await, runs);
    assert_eq!(load(&store, "contoso").await.alerts, alerts);
    let terms = ClaimTerms { merge_over: Some(1), ..ClaimTerms::default() };
    let Claim::Send(digest) = store.claim(&channel("soc"), terms, at(50)).await.unwrap() else { panic!("no digest") };
    let facts = digest.notification.data.digest.as_ref().unwrap();
    assert_eq!((facts.firing, facts.critical, facts.operator), (1, 0, 1), "its worsening speaks for the alert");
    store.settle(digest.id, digest.attempt, AttemptOutcome::Delivered, None, at(51)).await.unwrap();
    let alert = load(&store, "contoso").await.alerts.remove(0);
    assert_eq!(
        (alert.acknowledged, alert.notified_at),
        (None, Some(at(51))),
        "it got worse, and somebody was notified"
    );
}
