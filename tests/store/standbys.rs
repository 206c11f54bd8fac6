//! Standbys of a server: whether they have what was confirmed.

use std::sync::Arc;

use scorewatch::{
    domain::Caller,
    store::{
        Audit, NewEntry, Upkeep,
        postgres::{self, PostgresSettings},
    },
};
use sqlx::PgConnection;

use super::fixture::*;
use crate::harness::{
    between::{Between, Trouble},
    event,
    postgres::Postgres,
};

/// Makes a server wait for its standby before it confirms anything.
async fn wait_for_standby(server: &Postgres, database: &PostgresSettings) {
    for sql in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
        server.run(database, sql).await;
    }
}

/// Asks a server again and again until it gives that.
async fn until_it_is(server: &mut PgConnection, sql: &'static str, other_than: i32) -> i32 {
    let found = async {
        loop {
            let found = sqlx::query_scalar(sql).bind(other_than).fetch_optional(&mut *server).await.unwrap();
            match found {
                Some(found) => break found,
                None => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    };
    event(found).await.unwrap_or_else(|| panic!("waited in vain: {sql}"))
}

/// A standby on which each commit waits.
const IN_STEP: &str =
    "SELECT pid FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync' AND pid <> $1";
/// A connection, other than that one, whose commit waits for a standby.
const WAITS: &str = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid <> $1";

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn standbys_that_may_lack_something_are_noticed_without_a_new_connection_and_said_once() {
    let server = Postgres::apart();
    let database = server.database().await;
    let store = postgres::open(&database).await.unwrap();
    assert_eq!(store.look_at_standbys().await, Ok(None));
    let standby = server.standby(server.folder());
    // It is started before it follows, and a server takes a moment to read its settings again.
    let changed = async || loop {
        if let Some(changed) = store.look_at_standbys().await.unwrap() {
            break changed;
        }
    };
    assert_eq!(event(changed()).await, Some(true));
    assert_eq!(store.look_at_standbys().await, Ok(None));
    wait_for_standby(&server, &database).await;
    assert_eq!(event(changed()).await, Some(false));
    assert_eq!(store.look_at_standbys().await, Ok(None));
    store.close().await;
    drop(standby);
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_commit_whose_session_ends_while_it_waits_for_a_standby_counts_only_once_the_standby_has_it() {
    let server = Postgres::apart();
    let database = server.database().await;
    let service = Arc::new(postgres::open(&database).await.unwrap());
    let beside = Arc::new(postgres::open_reader(&database).await.unwrap());
    let mut observer = server.connect("postgres").await;
    let follows = Between::new(&server);
    // It is copied from the way that it follows by, which this thread serves.
    let server: &'static Postgres = Box::leak(Box::new(server));
    let by = follows.folder().to_owned();
    let standby = tokio::task::spawn_blocking(move || server.standby(&by)).await.unwrap();
    wait_for_standby(server, &database).await;
    until_it_is(&mut observer, IN_STEP, 0).await;
    for (number, store) in (1..).zip([&service, &beside]) {
        follows.set(Some(Trouble::Silence));
        let writer = Arc::clone(store);
        let entry = NewEntry::by(&Caller::local("ann"), "token.create", None, at(number));
        let mut writing = tokio::spawn(async move { writer.record(entry).await });
        let session = until_it_is(&mut observer, WAITS, 0).await;
        let ended: bool =
            sqlx::query_scalar("SELECT pg_terminate_backend($1)").bind(session).fetch_one(&mut observer).await.unwrap();
        assert!(ended);
        // Something else waits for the standby before anybody is told that it was committed.
        tokio::select! {
            biased;
            confirmed = &mut writing => panic!("confirmed though no standby has it: {confirmed:?}"),
            _ = until_it_is(&mut observer, WAITS, session) => {}
        }
        follows.set(None);
        let written = writing.await.unwrap();
        assert!(written.is_ok(), "{written:?}");
        assert_eq!(store.links(0, 1000).await.unwrap().len(), usize::try_from(number).unwrap());
    }
    beside.close().await;
    service.close().await;
    drop(standby);
}
