//! The audit log.

use futures_util::future::join_all;
use scorewatch::{
    domain::{Caller, Scope},
    query,
    store::{EntryFilter, NewEntry, Store, Verifier},
};
use serde_json::json;
use sqlx::Connection;

use super::{
    access::{by, token},
    fixture::*,
};
use crate::harness::postgres::Postgres;

async fn record(store: &dyn Store, action: &'static str, seconds: i64) {
    let entry = NewEntry::by(&Caller::local("ann"), action, Some(format!("silence {seconds}")), at(seconds));
    store.record(entry.before(json!({ "n": seconds })).after(json!(null))).await.unwrap();
}

async fn verify(store: &dyn Store) -> Option<u64> {
    let mut verifier = Verifier::default();
    for link in store.links(0, 100).await.unwrap() {
        if let Err(broken) = verifier.take(&link) {
            return Some(broken.seq);
        }
    }
    verifier.finish().err().map(|broken| broken.seq)
}

async fn entries_are_chained_in_the_order_in_which_they_are_recorded_also_from_two_processes() {
    let fixture = Fixture::new().await;
    record(&*fixture.store, "silence.add", 1).await;
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let beside = fixture.beside().await;
    record(&*beside, "silence.end", 2).await;
    record(store, "token.create", 3).await;
    record(store, "silences", 4).await;
    beside.close().await;
    assert_eq!(verify(store).await, None);
    let list = async |before: Option<u64>, action: Option<&str>, limit: Option<u32>| {
        let filter = EntryFilter { before, action: action.map(str::to_owned), limit };
        store.entries(&filter).await.unwrap().into_iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, None).await, [4, 3, 2, 1]);
    assert_eq!(list(Some(4), None, Some(2)).await, [3, 2]);
    assert_eq!(list(None, Some("silence"), None).await, [2, 1]);
    assert_eq!(list(None, Some("silence.end"), None).await, [2]);
    let entry = store.entries(&EntryFilter { limit: Some(1), ..EntryFilter::default() }).await.unwrap().remove(0);
    assert_eq!((entry.at, entry.body.who.as_str(), entry.erased), (at(4), "ann", false));
    assert_eq!(
        (entry.body.target.as_deref(), entry.body.before, entry.body.after),
        (Some("silence 4"), Some(json!({ "n": 4 })), None)
    );
    assert_eq!(store.links(2, 1).await.unwrap()[0].seq, 3);
}

async fn a_log_that_was_emptied_is_not_as_it_was_written() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let broken = async || query::audit::verify(store, &Scope::All, None).await.unwrap().broken.map(|broken| broken.seq);
    assert_eq!(broken().await, None, "no service has run here yet");
    store.heartbeat(at(1)).await.unwrap();
    assert_eq!(broken().await, Some(1));
    record(store, "service.start", 1).await;
    assert_eq!(broken().await, None);
}

async fn a_log_whose_guards_are_removed_is_not_verified() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    record(store, "silence.add", 1).await;
    let verdict = async || query::audit::verify(store, &Scope::All, None).await.unwrap();
    assert_eq!(verdict().await.missing_guards, [""; 0]);
    let remove = match &fixture.database {
        None => &["DROP TRIGGER audit_is_kept"][..],
        Some(_) => &["DROP TRIGGER audit_is_kept ON audit", "ALTER TABLE audit DISABLE TRIGGER audit_is_unchanged"],
    };
    for statement in remove {
        change(&fixture, statement).await;
    }
    let missing = verdict().await;
    assert_eq!(missing.broken, None, "no entry was changed");
    assert_eq!(missing.missing_guards, ["audit_is_kept", "audit_is_unchanged"][..remove.len()]);
    let instead = match &fixture.database {
        None => "CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT 1; END",
        Some(_) => {
            "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
        }
    };
    change(&fixture, instead).await;
    let count = if fixture.database.is_some() { 3 } else { 1 };
    assert_eq!(verdict().await.missing_guards.len(), count, "one of the same name does something else");
}

/// Does what somebody may do who has the database itself.
async fn change(fixture: &Fixture, statement: &'static str) {
    match &fixture.database {
        None => {
            let url = format!("sqlite://{}", fixture.directory.path().join("data/s.db").display());
            let mut db = sqlx::SqliteConnection::connect(&url).await.unwrap();
            sqlx::query(statement).execute(&mut db).await.unwrap();
        }
        Some(database) => {
            let mut db = Postgres::shared().connect(&database.database).await;
            sqlx::query(statement).execute(&mut db).await.unwrap();
        }
    }
}

async fn what_two_processes_do_at_once_is_one_chain_in_which_each_act_is_once() {
    const ACTS: i64 = 50;
    let fixture = Fixture::new().await;
    let beside = fixture.beside().await;
    let act = |number: i64| {
        let store: &dyn Store = if number % 2 == 0 { &*fixture.store } else { &*beside };
        async move {
            let name = number.to_string();
            store.add_token(token(&name, &name), by("token.create", number)).await
        }
    };
    let done = join_all((1..=ACTS).map(act)).await;
    assert!(done.iter().all(|added| *added == Ok(true)), "{done:?}");
    beside.close().await;
    let store = &*fixture.store;
    assert_eq!(verify(store).await, None);
    let entries = store.entries(&EntryFilter::default()).await.unwrap();
    let mut times: Vec<_> = entries.iter().map(|entry| entry.at.as_nanos()).collect();
    times.sort_unstable();
    assert_eq!(times, (1..=ACTS).map(|number| at(number).as_nanos()).collect::<Vec<_>>());
    assert_eq!((entries[0].seq, store.tokens().await.unwrap().len()), (50, 50));
}

#[tokio::test]
async fn the_database_refuses_to_change_the_log_and_the_chain_shows_what_was_changed_all_the_same() {
    let fixture = Fixture::new().await;
    for seconds in 1..=4 {
        record(&*fixture.store, "silence.add", seconds).await;
    }
    let url = format!("sqlite://{}", fixture.directory.path().join("data/s.db").display());
    let mut db = sqlx::SqliteConnection::connect(&url).await.unwrap();
    for refused in [
        "DELETE FROM audit WHERE seq = 4",
        "UPDATE audit SET at = 0 WHERE seq = 2",
        "UPDATE audit SET body = '{}' WHERE seq = 2",
        "UPDATE audit SET hash = x'00' WHERE seq = 2",
        "UPDATE audit SET seq = 9 WHERE seq = 4",
        "INSERT OR REPLACE INTO audit SELECT 4, 0, action, body, salt, digest, erases, previous, hash FROM audit WHERE seq = 4",
        "INSERT OR IGNORE INTO audit SELECT 4, 0, action, body, salt, digest, erases, previous, hash FROM audit WHERE seq = 4",
    ] {
        assert!(sqlx::query(refused).execute(&mut db).await.is_err(), "{refused}");
    }
    assert_eq!(verify(&*fixture.store).await, None);
    sqlx::query("UPDATE audit SET body = '{}', salt = NULL WHERE seq = 2").execute(&mut db).await.unwrap();
    assert_eq!(verify(&*fixture.store).await, Some(2), "erased, and nobody says so");
    for trigger in ["audit_is_kept", "audit_is_unchanged"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("DROP TRIGGER {trigger}"))).execute(&mut db).await.unwrap();
    }
    sqlx::query("DELETE FROM audit WHERE seq = 1").execute(&mut db).await.unwrap();
    assert_eq!(verify(&*fixture.store).await, Some(1));
}

on_both! {
    a_log_whose_guards_are_removed_is_not_verified,
    a_log_that_was_emptied_is_not_as_it_was_written,
    entries_are_chained_in_the_order_in_which_they_are_recorded_also_from_two_processes,
    what_two_processes_do_at_once_is_one_chain_in_which_each_act_is_once,
}
