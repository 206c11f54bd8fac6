//! What is remembered of recommendations: written with the outcome of a check, replaced by a later one, removed with age.

use std::time::Duration;

use scorewatch::{
    domain::{Impact, RecommendationSnapshot, SnapshotRow},
    store::{CheckOutcome, Commit},
};

use super::fixture::*;

fn snapshot(impact: Impact, seconds: i64, ids: &[&str]) -> RecommendationSnapshot {
    let row = |(number, id): (u64, &&str)| SnapshotRow {
        id: (*id).to_owned(),
        exposed: Some(number),
        total: None,
        impact: Some(9.5),
        is_exception: number == 1,
    };
    RecommendationSnapshot {
        impact,
        taken_at: at(seconds),
        is_complete: ids.len() < 3,
        rows: (0..).zip(ids).map(row).collect(),
    }
}

fn outcome(name: &str, version: Option<u64>, seconds: i64, snapshots: &[RecommendationSnapshot]) -> CheckOutcome {
    CheckOutcome { recommendations: snapshots.to_vec(), ..check(name, version, seconds) }
}

async fn a_snapshot_is_kept_over_a_restart_and_replaced_score_by_score() {
    let fixture = Fixture::new().await;
    let (device, exposure) =
        (snapshot(Impact::DeviceScore, 0, &["a", "b"]), snapshot(Impact::Exposure, 0, &["a", "b", "c"]));
    commit(&*fixture.store, outcome("contoso", None, 0, &[exposure.clone(), device.clone()])).await;
    commit(&*fixture.store, outcome("fabrikam", None, 0, &[])).await;
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    assert_eq!(store.recommendations(&tenant("contoso")).await.unwrap(), [device, exposure.clone()]);
    for nothing in ["fabrikam", "unknown"] {
        assert!(store.recommendations(&tenant(nothing)).await.unwrap().is_empty(), "{nothing}");
    }
    let newer = snapshot(Impact::DeviceScore, 900, &["z"]);
    commit(store, outcome("contoso", Some(1), 900, std::slice::from_ref(&newer))).await;
    let expected = [newer, exposure];
    assert_eq!(store.recommendations(&tenant("contoso")).await.unwrap(), expected, "the other is left alone");
    commit(store, outcome("contoso", Some(2), 1_800, &[])).await;
    assert_eq!(
        store.recommendations(&tenant("contoso")).await.unwrap(),
        expected,
        "a check without an alert asks nothing"
    );
}

async fn a_check_that_is_not_written_leaves_the_memory_as_it_was() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let known = snapshot(Impact::DeviceScore, 0, &["a"]);
    commit(store, outcome("contoso", None, 0, std::slice::from_ref(&known))).await;
    let late = outcome("contoso", None, 900, &[snapshot(Impact::DeviceScore, 900, &["z"])]);
    assert_eq!(store.commit(late).await.unwrap(), Commit::Conflict);
    assert_eq!(store.recommendations(&tenant("contoso")).await.unwrap(), [known]);
}

async fn what_is_older_than_retention_is_remembered_no_more() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let (old, new) = (snapshot(Impact::DeviceScore, 0, &["a"]), snapshot(Impact::Exposure, 30, &["a"]));
    commit(store, outcome("contoso", None, 30, &[old, new.clone()])).await;
    assert!(!store.prune(at(60), Duration::from_mins(1)).await.unwrap());
    assert_eq!(store.recommendations(&tenant("contoso")).await.unwrap().len(), 2);
    assert!(!store.prune(at(61), Duration::from_mins(1)).await.unwrap());
    assert_eq!(store.recommendations(&tenant("contoso")).await.unwrap(), [new]);
}

on_both! {
    a_snapshot_is_kept_over_a_restart_and_replaced_score_by_score,
    a_check_that_is_not_written_leaves_the_memory_as_it_was,
    what_is_older_than_retention_is_remembered_no_more,
}
