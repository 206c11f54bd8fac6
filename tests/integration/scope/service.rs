//! What is remembered of tenants, and of the service as a whole.

use scorewatch::{
    config::reload::Rejected,
    diagnostic::{Place, Problem},
    domain::{Impact, RecommendationSnapshot, Scope, SnapshotRow, TenantId},
    notify::{Maintenance, silence::Matchers},
    query,
    schedule::{Schedule, Window, WindowEnd},
    store::{CheckOutcome, Commit},
};

use super::{OTHERS, Scene, json, nobody, only};
use crate::integration::{
    fixture::Fixture,
    setup::{minutes, tenant_id},
};

/// Remembers a recommendation to a tenant, which names it.
pub(super) async fn advise(fixture: &Fixture, id: &TenantId) {
    let record = fixture.store.load(std::slice::from_ref(id)).await.unwrap().pop().unwrap();
    let row = SnapshotRow {
        id: "sca-_-1".to_owned(),
        exposed: Some(3),
        total: Some(4),
        impact: Some(9.5),
        is_exception: false,
        name: Some(format!("what {id} needs")),
    };
    let now = fixture.clock.now();
    let snapshot =
        RecommendationSnapshot { impact: Impact::DeviceScore, taken_at: now, is_complete: true, rows: vec![row] };
    let outcome = CheckOutcome {
        tenant: id.clone(),
        identity: record.identity,
        expected_version: Some(record.version),
        health: record.health,
        series: Vec::new(),
        alerts: Vec::new(),
        notifications: Vec::new(),
        movements: Vec::new(),
        excluded: None,
        recommendations: vec![snapshot],
        averages: None,
        now,
    };
    assert_eq!(fixture.store.commit(outcome).await.unwrap(), Commit::Done);
}

/// A window of one tenant, which is closed while the tests run.
pub(super) fn night_of(id: &str) -> Maintenance {
    let schedule = Schedule::parse("0 0 3 * * *", "UTC".parse().unwrap()).unwrap();
    let matchers = Matchers { tenants: [tenant_id(id)].into(), ..Matchers::default() };
    Maintenance {
        name: format!("night of {id}"),
        matchers,
        window: Window::new(schedule, WindowEnd::After(minutes(60))),
    }
}

/// What a configuration file may be rejected for.
fn problem() -> Problem {
    let place = Place { file: "tenants/fabrikam.yaml".into(), line: 1, column: 1 };
    Problem::error(place, "name", "everybody's secret", "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_service_as_a_whole_a_scope_learns_how_its_own_checks_fare() {
    let scene = Scene::new().await;
    let rejected = Rejected {
        errors: 1,
        first: "everybody's secret".to_owned(),
        problems: vec![problem()],
        fingerprint: String::new(),
    };
    for (scope, tenants) in [(Scope::All, 2), (only(&["contoso"]), 1), (nobody(), 0)] {
        let system = query::system::show(scene.store(), &scene.config, Some(&rejected), &scope, scene.now()).await;
        let system = system.unwrap();
        assert_eq!(system.checks.tenants, tenants);
        assert_eq!(
            system.configuration.is_some() && system.store.is_some() && system.rejected.is_some(),
            scope.is_all()
        );
        let said = json(&system);
        assert_eq!(OTHERS.iter().any(|other| said.contains(other)), scope.is_all(), "{scope:?}: {said}");
    }
}
