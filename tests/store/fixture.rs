//! Makes what goes into a store, and a store in a directory of its own.

use std::{env, sync::Arc, time::Duration};

use scorewatch::{
    domain::{ChannelName, Sample, ScoreKind, Subject, TenantId, Timestamp},
    notify::{
        Notification, NotificationId, NotificationType,
        notification::{Facts, Links, NotificationFacts},
    },
    rule::{Alert, AlertKey, AlertState, Condition, Escalated, Firing, Pending, RuleName, Terms},
    store::{
        AlertUpdate, CheckOutcome, Claim, ClaimTerms, ClaimedDelivery, Commit, NewNotification, SeriesUpdate, Store,
        TenantHealth, TenantIdentity, TenantRecord,
        postgres::{self, PostgresSettings},
        sqlite::SqliteStore,
    },
};
use tempfile::TempDir;

pub(super) use crate::harness::by_ann;
use crate::harness::{later, postgres::Postgres};

tokio::task_local! {
    /// The server on which a test's stores are; a test outside of it has them in files.
    static SERVER: &'static Postgres;
}

/// Runs a test with its stores on PostgreSQL.
pub(super) async fn on_postgres(test: impl Future<Output = ()>) {
    // On the heap, as tests are large and many.
    SERVER.scope(Postgres::shared(), Box::pin(test)).await;
}

/// A store under test, which can be closed and opened again.
pub(super) struct Fixture {
    pub(super) directory: TempDir,
    pub(super) store: Arc<dyn Store>,
    /// Where it is, if that is on a server.
    pub(super) database: Option<PostgresSettings>,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = match SERVER.try_with(|server| *server) {
            Ok(server) => Some(server.database().await),
            Err(_) => None,
        };
        let store = open(&directory, database.as_ref()).await;
        let fixture = Self { directory, store, database };
        if env::var_os("SCOREWATCH_LATER_SCHEMA").is_some() { fixture.added_to().await } else { fixture }
    }

    /// The same store after a later version has added to it.
    pub(super) async fn added_to(self) -> Self {
        self.store.close().await;
        match &self.database {
            Some(database) => later::add_to_postgres(Postgres::shared(), database).await,
            None => later::add_to_sqlite(&self.directory.path().join("data/s.db")).await,
        }
        let store = open(&self.directory, self.database.as_ref()).await;
        Self { store, ..self }
    }

    /// The same store, opened beside the service.
    pub(super) async fn beside(&self) -> Box<dyn Store> {
        match &self.database {
            Some(database) => Box::new(postgres::open_reader(database).await.unwrap()),
            None => Box::new(SqliteStore::open_reader(self.directory.path().join("data/s.db")).await.unwrap()),
        }
    }

    /// Closes the store properly and opens it again.
    pub(super) async fn reopen(self) -> Self {
        self.store.close().await;
        let store = open(&self.directory, self.database.as_ref()).await;
        Self { store, ..self }
    }
}

async fn open(directory: &TempDir, database: Option<&PostgresSettings>) -> Arc<dyn Store> {
    match database {
        Some(database) => Arc::new(postgres::open(database).await.unwrap()),
        None => Arc::new(SqliteStore::open(directory.path().join("data/s.db")).await.unwrap()),
    }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_225_600 + seconds) // 2026-01-01T00:00:00Z
}

pub(super) fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

pub(super) fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

pub(super) fn subject(text: &str) -> Subject {
    Subject(text.into())
}

pub(super) fn sample(seconds: i64, value: f64) -> Sample {
    Sample { at: at(seconds), value }
}

pub(super) fn check(name: &str, expected_version: Option<u64>, seconds: i64) -> CheckOutcome {
    CheckOutcome {
        tenant: tenant(name),
        identity: TenantIdentity::default(),
        expected_version,
        health: TenantHealth {
            first_seen_at: at(0),
            next_due_at: at(seconds + 900),
            wake_at: None,
            checked_at: Some(at(seconds)),
            failing: None,
            failures: Vec::new(),
            watched_since: None,
        },
        series: Vec::new(),
        alerts: Vec::new(),
        notifications: Vec::new(),
        movements: Vec::new(),
        excluded: None,
        recommendations: Vec::new(),
        averages: None,
        now: at(seconds),
    }
}

pub(super) fn series(window: Vec<Sample>, keep: Duration) -> SeriesUpdate {
    let last_data_at = window.last().map_or(at(0), |sample| sample.at);
    let (score, subject, onboarded_at) = (ScoreKind::DeviceSecureScore, None, None);
    SeriesUpdate { score, subject, window, keep, onboarded_at, last_data_at }
}

pub(super) fn key(tenant_name: &str, rule: &str) -> AlertKey {
    AlertKey {
        tenant: tenant(tenant_name),
        rule: RuleName::parse(rule).unwrap(),
        score: Some(ScoreKind::DeviceSecureScore),
        subject: None,
    }
}

pub(super) fn firing(generation: u64, sequence: u64) -> Alert {
    let firing = Firing {
        since: at(0),
        fired_at: at(0),
        terms: Terms { when: Condition::Below(300.0), recover: None },
        baseline: Some(400.0),
        measured_at: None,
        worst_notified: Some(340.0),
        worst_notified_at: None,
        worst_seen: None,
        worst_before: None,
        worst_before_at: None,
        taken_back: 0,
        end_taken_back: 0,
        gap: None,
        unread: Vec::new(),
        escalated: Escalated::default(),
    };
    Alert { state: AlertState::Firing(firing), generation, sequence, ..Alert::default() }
}

pub(super) fn pending() -> Alert {
    Alert {
        state: AlertState::Pending(Pending {
            since: at(0),
            last_held: at(1),
            when: Condition::Below(300.0),
            against: None,
        }),
        ..Alert::default()
    }
}

pub(super) fn resolved(generation: u64, sequence: u64) -> Alert {
    Alert { state: AlertState::Inactive, generation, sequence, ..Alert::default() }
}

pub(super) fn update(rule: &str, alert: Alert) -> AlertUpdate {
    let key = key("any", rule);
    AlertUpdate { rule: key.rule, score: key.score, subject: key.subject, alert, inherits: None }
}

pub(super) fn notification(id: &str) -> Notification {
    let id = NotificationId::of_parts(&[id]);
    Notification {
        kind: NotificationType::AlertFiring,
        timestamp: at(0),
        data: Facts {
            notification: NotificationFacts {
                short_id: id.short(),
                id,
                sequence: 1,
                test: false,
                possible_duplicate: false,
                covers: Vec::new(),
            },
            alert: None,
            tenant: None,
            rule: None,
            score: None,
            no_data: Vec::new(),
            explanation: None,
            why: None,
            operator: None,
            links: Links::default(),
        }
        .into(),
    }
}

pub(super) fn new_notification(id: &str, alert: Option<AlertKey>, channels: &[&str]) -> NewNotification {
    NewNotification {
        notification: notification(id),
        tenant: alert.as_ref().map(|key| key.tenant.clone()),
        alert,
        channels: channels.iter().map(|name| channel(name)).collect(),
        hold: None,
    }
}

pub(super) async fn commit(store: &dyn Store, outcome: CheckOutcome) {
    assert_eq!(store.commit(outcome).await.unwrap(), Commit::Done);
}

pub(super) async fn load(store: &dyn Store, name: &str) -> TenantRecord {
    store.load(&[tenant(name)]).await.unwrap().pop().unwrap()
}

pub(super) async fn claim(store: &dyn Store, name: &str, seconds: i64) -> ClaimedDelivery {
    match store.claim(&channel(name), ClaimTerms::default(), at(seconds)).await.unwrap() {
        Claim::Send(claimed) => *claimed,
        other => panic!("nothing to send: {other:?}"),
    }
}
