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
        name: (number == 0).then(|| format!("Do {id}")),
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

async fn what_many_tenants_need_is_added_up_with_its_name_and_those_who_gain_most_are_named() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let row = |id: &str, impact: f64, exposed: Option<u64>, name: Option<&str>| SnapshotRow {
        id: id.to_owned(),
        exposed,
        total: Some(40),
        impact: Some(impact),
        is_exception: id == "excepted",
        name: name.map(str::to_owned),
    };
    let list = |impact, rows: &[SnapshotRow]| RecommendationSnapshot {
        impact,
        taken_at: at(0),
        is_complete: true,
        rows: rows.to_vec(),
    };
    let tenants = [("a", 1.0, None), ("b", 5.0, Some("Do it")), ("c", 3.0, None)];
    for (name, points, title) in tenants {
        let rows = [
            row("common", points, Some(2), title),
            row("followed", 9.0, Some(0), None),
            row("excepted", 9.0, Some(1), None),
            row("nothing", 0.0, Some(1), None),
        ];
        let lists = [list(Impact::DeviceScore, &rows), list(Impact::SecureScore, &rows[..1])];
        commit(store, outcome(name, None, 0, &lists)).await;
    }
    let only = ["a", "b"].map(tenant).into_iter().collect();
    for (scope, points, count, most) in
        [(None, 9.0, 3, &[("b", 5.0), ("c", 3.0)][..]), (Some(&only), 6.0, 2, &[("b", 5.0), ("a", 1.0)])]
    {
        let advice = store.advice(scope, 10).await.unwrap();
        let said: Vec<_> = advice
            .iter()
            .map(|one| (one.id.as_str(), one.name.as_deref(), one.impact, one.points, one.tenants, one.exposed))
            .collect();
        let of = |impact| ("common", Some("Do it"), impact, points, count, count * 2);
        assert_eq!(said, [of(Impact::DeviceScore), of(Impact::SecureScore)]);
        let advised = store.advised(scope, &["common", "nothing", "unknown"], 2).await.unwrap();
        let said: Vec<_> = advised.iter().map(|one| (one.impact, one.tenant.as_str(), one.points)).collect();
        let expected: Vec<_> = [Impact::DeviceScore, Impact::SecureScore]
            .into_iter()
            .flat_map(|impact| most.iter().map(move |(tenant, points)| (impact, *tenant, *points)))
            .collect();
        assert_eq!(said, expected);
    }
}

on_both! {
    a_snapshot_is_kept_over_a_restart_and_replaced_score_by_score,
    a_check_that_is_not_written_leaves_the_memory_as_it_was,
    what_is_older_than_retention_is_remembered_no_more,
    what_many_tenants_need_is_added_up_with_its_name_and_those_who_gain_most_are_named,
}
