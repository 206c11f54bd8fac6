//! What somebody does and its entry in the audit log are one transaction: both are there, or neither.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use scorewatch::{
    domain::KeyedRequest,
    notify::{
        NotificationType,
        silence::{Acknowledgement, Matchers, NewSilence},
    },
    rule::Alert,
    store::{
        Acknowledged, AlertFilter, AttemptOutcome, Begun, Commit, DeliveryFilter, EntryFilter, NewEntry,
        NewPersonSession, NewSession, PasswordHash, Person, SecretDigest, SeenAlert, SilenceNotice, Store, StoreError,
        Verifier,
    },
};
use serde_json::json;
use sqlx::Connection;

use super::{
    access::{account, by, token},
    fixture::*,
};
use crate::harness::postgres::Postgres;

/// The action of an entry that the database refuses, as a full disk or a kill would.
const REFUSED: &str = "refused";
/// How the database is made to refuse it.
const RULE_SQLITE: &str = "CREATE TRIGGER refuses BEFORE INSERT ON audit WHEN NEW.action = 'refused' \
    BEGIN SELECT RAISE(ABORT, 'refused'); END";
const RULE_POSTGRES: &str = "ALTER TABLE audit ADD CONSTRAINT refuses CHECK (action <> 'refused')";

/// Does something; `true`: it changed something.
type Act = for<'s> fn(&'s dyn Store, NewEntry) -> BoxFuture<'s, Result<bool, StoreError>>;

/// Everything that somebody can do to a store, in an order in which each changes something.
const ACTS: [(&str, Act); 19] = [
    ("add_silence", |store, entry| {
        let notice: SilenceNotice = Arc::new(|id| new_notification(&format!("silence {id}"), None, &["operator"]));
        async move { store.add_silence(silence(), Some(notice), entry).await.map(|_| true) }.boxed()
    }),
    ("end_silence", |store, entry| {
        async move { store.end_silence(store.silences(None).await?[0].id, entry).await }.boxed()
    }),
    ("acknowledge", |store, entry| {
        let seen = Acknowledgement { at: entry.at, by: "ann".to_owned(), comment: "seen".to_owned() };
        async move { store.acknowledge(&key("contoso", "low"), seen, entry).await }.boxed()
    }),
    ("unacknowledge", |store, entry| async move { store.unacknowledge(&key("contoso", "low"), entry).await }.boxed()),
    ("acknowledge_all", |store, entry| {
        let seen = Acknowledgement { at: entry.at, by: "ben".to_owned(), comment: "seen".to_owned() };
        let alerts = vec![(SeenAlert { alert: key("contoso", "low"), generation: 1, sequence: 1 }, entry)];
        async move { Ok(store.acknowledge_all(alerts, seen).await?.contains(&Acknowledged::Now)) }.boxed()
    }),
    ("commit_action", |store, entry| {
        async move {
            let mut outcome = check("contoso", Some(load(store, "contoso").await.version), 30);
            outcome.alerts = vec![update("low", Alert { generation: 1, sequence: 2, ..Alert::default() })];
            Ok(store.commit_action(outcome, entry).await? == Commit::Done)
        }
        .boxed()
    }),
    ("request_checks", |store, entry| {
        async move { Ok(store.request_checks(&[tenant("contoso")].into(), entry).await? == 1) }.boxed()
    }),
    ("resend", |store, entry| {
        async move {
            let dead = store.deliveries(&DeliveryFilter::default()).await?;
            let dead = dead.iter().find(|delivery| delivery.channel == channel("desk")).unwrap().id;
            store.resend(dead, entry).await
        }
        .boxed()
    }),
    ("unpark", |store, entry| async move { store.unpark(&channel("soc"), entry).await }.boxed()),
    ("confirm", |store, entry| {
        let drill = notification("drill").data.facts.notification.id;
        async move { Ok(store.confirm(&drill, entry).await? == [channel("on-call")]) }.boxed()
    }),
    ("announce_requested", |store, entry| {
        let all = vec![new_notification("three", None, &["soc"]), new_notification("four", None, &["desk"])];
        async move { store.announce_requested(all, entry).await.map(|()| true) }.boxed()
    }),
    ("add_token", |store, entry| async move { store.add_token(token("grafana", "one"), entry).await }.boxed()),
    ("revoke_token", |store, entry| async move { store.revoke_token("grafana", entry).await }.boxed()),
    ("add_account", |store, entry| async move { store.add_account(account("ben"), entry).await }.boxed()),
    ("set_password", |store, entry| {
        async move { store.set_password("ben", PasswordHash("$argon2id$2".to_owned()), entry).await }.boxed()
    }),
    ("add_session", |store, entry| {
        async move {
            let (account, _) = store.find_account("ben").await?.unwrap();
            let (digest, account, created_at) = (SecretDigest::of("ben"), account.id, entry.at);
            let session = NewSession { digest, account, created_at, expires_at: at(10_000) };
            store.add_session(session, entry).await.map(|()| true)
        }
        .boxed()
    }),
    ("end_session", |store, entry| async move { store.end_session(SecretDigest::of("ben"), entry).await }.boxed()),
    ("add_person_session", |store, entry| {
        async move {
            let (digest, person, created_at) = (SecretDigest::of("eve"), person(), entry.at);
            let session = NewPersonSession { digest, person, created_at, expires_at: at(10_000) };
            store.add_person_session(session, entry).await.map(|()| true)
        }
        .boxed()
    }),
    ("disable_account", |store, entry| async move { store.disable_account("ben", true, entry).await }.boxed()),
];

fn silence() -> NewSilence {
    let (author, comment) = ("ann".to_owned(), "patching".to_owned());
    NewSilence { matchers: Matchers::default(), starts_at: at(0), ends_at: at(1_000), author, comment }
}

fn person() -> Person {
    Person {
        issuer: "https://login.example".to_owned(),
        client_id: "app".to_owned(),
        subject: "AAAA".to_owned(),
        name: "eve@mssp.example".to_owned(),
        groups: BTreeSet::new(),
        app_roles: BTreeSet::new(),
    }
}

/// An alert that fires, a dead letter for `desk`, and a parked channel `soc`.
async fn trouble(store: &dyn Store) {
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("low", firing(1, 1))];
    outcome.notifications =
        vec![new_notification("one", Some(key("contoso", "low")), &["desk"]), new_notification("two", None, &["soc"])];
    commit(store, outcome).await;
    let mut drill = new_notification("drill", None, &["on-call"]);
    drill.notification.kind = NotificationType::Drill;
    assert!(store.announce(drill, at(0)).await.unwrap());
    let dead = claim(store, "desk", 1).await;
    let outcome = AttemptOutcome::Dead { error: "400".to_owned() };
    store.settle(dead.id, dead.attempt, outcome, None, at(2)).await.unwrap();
    let parked = claim(store, "soc", 1).await;
    let outcome = AttemptOutcome::Parked { error: "410".to_owned() };
    store.settle(parked.id, parked.attempt, outcome, None, at(2)).await.unwrap();
}

/// All that one of the acts may change.
async fn state(store: &dyn Store) -> String {
    let work = (
        store.alerts(&AlertFilter::default()).await.unwrap(),
        store.deliveries(&DeliveryFilter::default()).await.unwrap(),
        store.channels().await.unwrap(),
        store.silences(None).await.unwrap(),
        store.schedule().await.unwrap(),
        store.rechecks_requested().await.unwrap(),
    );
    let access = (
        store.tokens().await.unwrap(),
        store.accounts().await.unwrap(),
        store.find_account("ben").await.unwrap().map(|(_, password)| password.0),
        store.sessions().await.unwrap(),
    );
    format!("{work:?} {access:?}")
}

async fn recorded(store: &dyn Store) -> Vec<String> {
    store.entries(&EntryFilter::default()).await.unwrap().into_iter().map(|entry| entry.action).rev().collect()
}

async fn refuse_entries(fixture: &Fixture) {
    run(fixture, RULE_SQLITE, RULE_POSTGRES).await;
}

/// Runs that beside the store, in the words of its database.
pub(super) async fn run(fixture: &Fixture, sqlite: &'static str, postgres: &str) {
    if let Some(database) = &fixture.database {
        Postgres::shared().run(database, postgres).await;
        return;
    }
    let url = format!("sqlite://{}", fixture.directory.path().join("data/s.db").display());
    let mut db = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(sqlite).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

async fn nothing_is_done_that_can_not_be_recorded_and_what_is_done_is_recorded_once() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    trouble(store).await;
    refuse_entries(&fixture).await;
    let mut expected = Vec::new();
    for (seconds, (name, act)) in (100..).zip(ACTS) {
        let before = state(store).await;
        let refused = act(store, by(REFUSED, seconds)).await;
        assert!(refused.is_err(), "{name}: {refused:?}");
        assert_eq!(state(store).await, before, "{name}: it was done, and nobody can know by whom");
        assert_eq!(recorded(store).await, expected, "{name}");
        assert_eq!(act(store, by(name, seconds)).await, Ok(true), "{name}");
        expected.push(name);
        assert_ne!(state(store).await, before, "{name}: nothing was done");
        assert_eq!(recorded(store).await, expected, "{name}");
    }
    let silence = store.entries(&EntryFilter::default()).await.unwrap().pop().unwrap();
    assert!(silence.body.target.unwrap().starts_with("silence "), "the store completes its entry");
    let mut verifier = Verifier::default();
    let links = store.links(0, 100).await.unwrap();
    links.iter().try_for_each(|link| verifier.take(link)).unwrap();
    assert_eq!((links.len(), verifier.finish()), (ACTS.len(), Ok(())));
}

async fn whatever_is_done_for_a_request_notes_that_the_request_was_done_or_is_not_done() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    trouble(store).await;
    for (seconds, (name, act)) in (100..).zip(ACTS) {
        let (caller, key, fingerprint) = ("ann".to_owned(), name.to_owned(), String::new());
        let request = KeyedRequest { caller, key, fingerprint, attempt: 1 };
        let entry = || NewEntry { request: Some(Arc::new(request.clone())), ..by(name, seconds) };
        let before = state(store).await;
        let refused = act(store, entry()).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{name}: nobody has begun it: {refused:?}");
        assert_eq!(state(store).await, before, "{name}");
        assert_eq!(store.begin_request(request.clone(), at(seconds)).await, Ok(Begun::First), "{name}");
        assert_eq!(act(store, entry()).await, Ok(true), "{name}");
        let begun = store.begin_request(request, at(seconds)).await.unwrap();
        assert!(matches!(begun, Begun::Done { at: done, .. } if done == at(seconds)), "{name}: {begun:?}");
    }
}

/// What is not tried twice, as it does something then too, can't be done again, or records that somebody asked.
const ONCE: [&str; 7] = [
    "add_silence",
    "commit_action",
    "request_checks",
    "announce_requested",
    "set_password",
    "add_session",
    "add_person_session",
];

async fn what_changes_nothing_is_not_recorded() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    trouble(store).await;
    let mut expected = Vec::new();
    for (seconds, (name, act)) in (100..).zip(ACTS) {
        assert_eq!(act(store, by(name, seconds)).await, Ok(true), "{name}");
        expected.push(name);
        if ONCE.contains(&name) {
            continue;
        }
        let before = state(store).await;
        act(store, by("again", seconds)).await.unwrap();
        assert_eq!(state(store).await, before, "{name}: as a control");
        assert_eq!(recorded(store).await, expected, "{name}");
    }
    let mut late = check("contoso", Some(700), 130);
    late.alerts = vec![update("low", firing(1, 1))];
    assert_eq!(store.commit_action(late, by("commit_action", 130)).await, Ok(Commit::Conflict));
    assert_eq!(store.request_checks(&[tenant("nobody")].into(), by("request_checks", 130)).await, Ok(0));
    let password = PasswordHash("$argon2id$3".to_owned());
    assert_eq!(store.set_password("nobody", password, by("set_password", 130)).await, Ok(false));
    assert_eq!(recorded(store).await, expected);
}

async fn only_the_channels_of_what_was_not_there_before_are_recorded() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let (three, four) = (new_notification("three", None, &["soc", "desk"]), new_notification("four", None, &["desk"]));
    for (asked, expected) in [(vec![three.clone()], vec!["desk", "soc"]), (vec![three, four], vec!["desk"])] {
        store.announce_requested(asked, by("report.send", 1)).await.unwrap();
        let newest = EntryFilter { limit: Some(1), ..EntryFilter::default() };
        let entry = store.entries(&newest).await.unwrap().remove(0).body;
        assert_eq!(entry.after, Some(json!({ "channels": expected })));
    }
}

on_both! {
    nothing_is_done_that_can_not_be_recorded_and_what_is_done_is_recorded_once,
    whatever_is_done_for_a_request_notes_that_the_request_was_done_or_is_not_done,
    what_changes_nothing_is_not_recorded,
    only_the_channels_of_what_was_not_there_before_are_recorded,
}
