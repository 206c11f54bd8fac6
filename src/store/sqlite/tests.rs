//! Faults that only the inside can bring about.

use std::time::Duration;

use super::*;
use crate::{
    crash_point::Work,
    domain::{Caller, Sample, ScoreKind, Timestamp},
    notify::silence::{Matchers, NewSilence},
    store::{
        Audit, CheckOutcome, Checks, Commit, EntryFilter, NewEntry, SeriesUpdate, Silences, TenantHealth,
        TenantIdentity, Upkeep,
        sql::{audit, db::query, silence},
    },
};

async fn limit_pages(store: &SqliteStore, pages: u32) {
    let limit = format!("PRAGMA max_page_count = {pages}");
    let set = store.writer.write(Work::Heartbeat, move |db| {
        Box::pin(async move {
            query(limit).execute(db).await?;
            Ok(())
        })
    });
    set.await.unwrap();
}

fn check(samples: i64) -> CheckOutcome {
    let now = Timestamp::from_seconds(samples);
    let health = TenantHealth {
        first_seen_at: now,
        next_due_at: now,
        wake_at: None,
        checked_at: Some(now),
        failing: None,
        failures: Vec::new(),
        watched_since: None,
    };
    #[expect(clippy::cast_precision_loss, reason = "any value will do")]
    let window = (0..samples).map(|n| Sample { at: Timestamp::from_seconds(n), value: n as f64 }).collect();
    let keep = Duration::from_hours(24);
    let (score, subject, onboarded_at) = (ScoreKind::SecureScore, None, None);
    let series = SeriesUpdate { score, subject, window, keep, onboarded_at, last_data_at: now };
    CheckOutcome {
        tenant: TenantId::parse("contoso").unwrap(),
        identity: TenantIdentity::default(),
        expected_version: None,
        health,
        series: vec![series],
        alerts: Vec::new(),
        notifications: Vec::new(),
        movements: Vec::new(),
        excluded: None,
        recommendations: Vec::new(),
        averages: None,
        now,
    }
}

#[tokio::test]
async fn a_full_disk_is_named_and_the_store_goes_on_when_there_is_room_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("s.db")).await.unwrap();
    limit_pages(&store, 40).await;
    assert_eq!(store.commit(check(40_000)).await, Err(StoreError::Full));
    assert!(store.schedule().await.unwrap().is_empty(), "nothing was half done");
    store.heartbeat(Timestamp::EPOCH).await.unwrap();
    limit_pages(&store, u32::MAX - 1).await;
    assert_eq!(store.commit(check(40_000)).await, Ok(Commit::Done));
    assert_eq!(store.schedule().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_operation_that_fails_halfway_leaves_nothing_and_the_next_one_works() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("s.db")).await.unwrap();
    let half = store.writer.write(Work::Heartbeat, |db| {
        Box::pin(async move {
            query("INSERT INTO meta (key, value) VALUES ('beat', '0')").execute(&mut *db).await?;
            query("INSERT INTO meta (key, value) VALUES ('identity', 'taken')").execute(db).await?;
            Ok(())
        })
    });
    assert!(matches!(half.await, Err(StoreError::Failed(_))));
    assert_eq!(store.last_heartbeat().await, Ok(None));
    assert_eq!(store.commit(check(3)).await, Ok(Commit::Done));
}

#[tokio::test]
async fn what_may_be_stored_already_is_not_stored_twice() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("s.db")).await.unwrap();
    let at = Timestamp::from_seconds;
    let silence = move |ends: i64| NewSilence {
        matchers: Matchers::default(),
        starts_at: at(0),
        ends_at: at(ends),
        author: "ann".into(),
        comment: "patching".into(),
    };
    let entry = move |seconds: i64| NewEntry::by(&Caller::local("ann"), "silence.add", None, at(seconds));
    let id = store.add_silence(silence(100), None, entry(2)).await.unwrap();
    store.record(entry(0)).await.unwrap();
    let added = store.writer.write(Work::AddSilence, move |db| {
        Box::pin(async move {
            audit::add_unless_there(db, &entry(0)).await?;
            audit::add_unless_there(db, &entry(1)).await?;
            let same = silence::add_unless_there(db, &silence(100), None, entry(2)).await?;
            Ok((same, silence::add_unless_there(db, &silence(200), None, entry(3)).await?))
        })
    });
    let (same, other) = added.await.unwrap();
    assert!(same == id && other != id);
    assert_eq!(store.silences(None).await.unwrap().len(), 2);
    assert_eq!(store.entries(&EntryFilter::default()).await.unwrap().len(), 4);
}
