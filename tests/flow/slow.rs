//! A tenant that waits for people is asked less often, told of once, and back on its schedule when it can be read.

use std::time::Duration;

use scorewatch::{
    config::{Config, Operator},
    domain::Timestamp,
    simulation::cloud::{DefenderRefusal, EntraRefusal, Fetch, SignIn},
};

use super::{
    bed::Bed,
    planner::{Wheel, checked},
    setup::{Build, at, channels, config, entra, minutes},
};

fn one(bed: &Bed) -> Config {
    let mut config = config().with_tenant(bed.tenant("contoso", 400.0)).with_channel(bed.channel("ops"));
    config.operator = Operator { notify: channels(&["ops"]), blind_after: minutes(60) };
    config
}

/// Visits the tenant each time it is due, so often. Returns when in minutes after the start, and when the next visit is.
async fn walk(bed: &Bed, config: &Config, visits: usize) -> Vec<u64> {
    let mut due = Vec::new();
    for _ in 0..visits {
        let visit = bed.visit(config).await;
        due.push(visit.due.next_due_at.since(at(0)).as_secs() / 60);
        bed.clock.set(visit.due.next_due_at);
        bed.tell_blindness(config).await;
    }
    due
}

#[tokio::test]
async fn a_missing_licence_is_asked_for_daily_told_once_and_no_longer_slow_when_it_is_there() {
    let bed = Bed::new().await;
    let config = one(&bed);
    let day = 24 * 60;
    assert_eq!(walk(&bed, &config, 1).await, [15]);
    bed.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    assert_eq!(walk(&bed, &config, 4).await, [30, 30 + day, 30 + 2 * day, 30 + 3 * day], "confirmed once, then daily");
    assert_eq!(bed.queued().await, ["operator.blind to ops"]);
    bed.cloud.set_fetch(entra("contoso"), None);
    assert_eq!(walk(&bed, &config, 2).await, [45 + 3 * day, 60 + 3 * day]);
    assert_eq!(bed.queued().await, ["operator.blind to ops", "operator.blind (Recovered) to ops"]);
}

#[tokio::test]
async fn a_consent_that_is_withdrawn_shows_as_such_and_is_asked_for_ever_less_often() {
    let bed = Bed::new().await;
    let config = one(&bed);
    walk(&bed, &config, 1).await;
    bed.cloud.set_sign_in(entra("contoso"), Some(SignIn::Refuse(EntraRefusal::AppUnknown)));
    let mut known = Vec::new();
    // The token that is there stays good for a while.
    while bed.record("contoso").await.unwrap().health.failing.is_none() {
        known = walk(&bed, &config, 1).await;
    }
    let failing = bed.record("contoso").await.unwrap().health.failing.unwrap();
    assert_eq!(failing.class, "consent-missing");
    assert!(failing.hint.unwrap().contains("consent"));
    let due: Vec<_> = walk(&bed, &config, 7).await;
    let waits: Vec<u64> = known.iter().chain(&due).zip(&due).map(|(before, after)| (after - before) / 60).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 24, 24], "hours");
}

#[tokio::test]
async fn what_may_pass_by_itself_is_asked_for_at_every_tick() {
    let bed = Bed::new().await;
    let config = one(&bed);
    bed.cloud.script_fetches(entra("contoso"), vec![Fetch::Refuse(DefenderRefusal::NoLicence)]);
    assert_eq!(walk(&bed, &config, 3).await, [15, 30, 45], "one failure may be a slip");
    bed.cloud.set_sign_in(entra("contoso"), Some(SignIn::Refuse(EntraRefusal::LoopDetected)));
    bed.pass(24 * 60);
    let due = walk(&bed, &config, 4).await;
    assert!(due.windows(2).all(|pair| pair[1] - pair[0] == 15), "{due:?}");
}

#[tokio::test]
async fn a_restart_asks_once_and_a_reload_at_once() {
    let bed = Bed::new().await;
    let config = one(&bed);
    bed.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    walk(&bed, &config, 2).await;
    let day = 24 * 60;
    let due = bed.record("contoso").await.unwrap().health.next_due_at;
    assert_eq!(due, at(15 + day));
    bed.clock.set(at(20));
    let wheel = Wheel::start(&bed, &config).await;
    wheel.pass(&bed, 10);
    checked(&wheel, &bed, "contoso", 3).await;
    let next = |record: Option<scorewatch::store::TenantRecord>| -> Timestamp { record.unwrap().health.next_due_at };
    assert_eq!(
        next(bed.record("contoso").await),
        at(30 + day),
        "asked at its next tick after the start, and then slowly"
    );
    wheel.pass(&bed, 60);
    wheel.tick.notify_one();
    assert_eq!(bed.cloud.tenant_counts(entra("contoso")).score_requests, 3);
    // Anything in the configuration.
    let mut other = config.clone();
    other.retention = Duration::from_hours(24 * 300);
    wheel.config.send(std::sync::Arc::new(other)).unwrap();
    checked(&wheel, &bed, "contoso", 4).await;
    wheel.stop(&bed).await;
}
