//! A tenant that waits for people is checked hourly, reported once, and back on its schedule when it can be read.

use std::time::Duration;

use scorewatch::{
    config::{Config, Operator},
    domain::Timestamp,
    simulation::cloud::{DefenderRefusal, EntraRefusal, Fetch, SignIn},
};

use super::{
    fixture::Fixture,
    planner::{PlannerFixture, checked},
    setup::{Build, at, channels, config, entra, minutes},
};

fn one(fixture: &Fixture) -> Config {
    let mut config = config().with_tenant(fixture.tenant("contoso", 400.0)).with_channel(fixture.channel("ops"));
    config.operator = Operator { notify: channels(&["ops"]), blind_after: minutes(60) };
    config
}

/// Visits the tenant each time it is due, so often. Returns when in minutes after the start, and when the next visit is.
async fn walk(fixture: &Fixture, config: &Config, visits: usize) -> Vec<u64> {
    let mut due = Vec::new();
    for _ in 0..visits {
        let visit = fixture.visit(config).await;
        due.push(visit.due.next_due_at.since(at(0)).as_secs() / 60);
        fixture.clock.set(visit.due.next_due_at);
        fixture.notify_blindness(config).await;
    }
    due
}

#[tokio::test]
async fn a_missing_license_is_checked_hourly_reported_once_and_no_longer_slow_when_it_is_there() {
    let fixture = Fixture::new().await;
    let config = one(&fixture);
    assert_eq!(walk(&fixture, &config, 1).await, [15]);
    fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    assert_eq!(walk(&fixture, &config, 4).await, [30, 90, 150, 210], "confirmed once, then hourly");
    assert_eq!(fixture.queued().await, ["operator.blind to ops"]);
    fixture.cloud.set_fetch(entra("contoso"), None);
    assert_eq!(walk(&fixture, &config, 2).await, [225, 240]);
    assert_eq!(fixture.queued().await, ["operator.blind to ops", "operator.blind (Recovered) to ops"]);
}

#[tokio::test]
async fn a_consent_that_is_withdrawn_shows_as_such_and_is_checked_at_least_hourly() {
    let fixture = Fixture::new().await;
    let config = one(&fixture);
    walk(&fixture, &config, 1).await;
    fixture.cloud.set_sign_in(entra("contoso"), Some(SignIn::Refuse(EntraRefusal::AppUnknown)));
    let mut known = Vec::new();
    // The token that is there stays good for a while.
    while fixture.record("contoso").await.unwrap().health.failing.is_none() {
        known = walk(&fixture, &config, 1).await;
    }
    let failing = fixture.record("contoso").await.unwrap().health.failing.unwrap();
    assert_eq!(failing.class, "consent-missing");
    assert!(failing.hint.unwrap().contains("consent"));
    let due: Vec<_> = walk(&fixture, &config, 7).await;
    let waits: Vec<u64> = known.iter().chain(&due).zip(&due).map(|(before, after)| after - before).collect();
    assert_eq!(waits, [60; 7], "minutes");
}

#[tokio::test]
async fn a_failure_that_may_pass_on_its_own_is_checked_at_every_tick() {
    let fixture = Fixture::new().await;
    let config = one(&fixture);
    fixture.cloud.script_fetches(entra("contoso"), vec![Fetch::Refuse(DefenderRefusal::NoLicence)]);
    assert_eq!(walk(&fixture, &config, 3).await, [15, 30, 45], "one failure may be a slip");
    fixture.cloud.set_sign_in(entra("contoso"), Some(SignIn::Refuse(EntraRefusal::LoopDetected)));
    fixture.pass(24 * 60);
    let due = walk(&fixture, &config, 4).await;
    assert!(due.windows(2).all(|pair| pair[1] - pair[0] == 15), "{due:?}");
}

#[tokio::test]
async fn a_restart_asks_once_and_a_reload_at_once() {
    let fixture = Fixture::new().await;
    let config = one(&fixture);
    fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    walk(&fixture, &config, 2).await;
    let due = fixture.record("contoso").await.unwrap().health.next_due_at;
    assert_eq!(due, at(75));
    fixture.clock.set(at(20));
    let planner = PlannerFixture::start(&fixture, &config).await;
    planner.pass(&fixture, 10);
    checked(&planner, &fixture, "contoso", 3).await;
    let next = |record: Option<scorewatch::store::TenantRecord>| -> Timestamp { record.unwrap().health.next_due_at };
    assert_eq!(
        next(fixture.record("contoso").await),
        at(90),
        "asked at its next tick after the start, and then slowly"
    );
    planner.pass(&fixture, 30);
    planner.tick.notify_one();
    assert_eq!(fixture.cloud.tenant_counts(entra("contoso")).score_requests, 3);
    // Anything in the configuration.
    let mut other = config.clone();
    other.retention = Duration::from_hours(24 * 300);
    planner.config.send(std::sync::Arc::new(other)).unwrap();
    checked(&planner, &fixture, "contoso", 4).await;
    planner.stop(&fixture).await;
}
