//! How channels stand: rest, trouble, parking, drills and their proof.

use std::time::Duration;

use scorewatch::{
    notify::{ChannelHealth, DeliveryState, NotificationType, channel_health::FailedPeriod},
    store::{AttemptOutcome, ChannelRecord, Claim, ClaimTerms, DeliveryFilter, EntryFilter, Store},
};

use super::{access::by, fixture::*};

async fn record(store: &dyn Store) -> ChannelRecord {
    store.channels().await.unwrap().pop().unwrap()
}

async fn queue(store: &dyn Store, id: &str, kind: NotificationType) {
    let mut new = new_notification(id, None, &["soc"]);
    new.notification.kind = kind;
    assert!(store.announce(new, at(0)).await.unwrap());
}

async fn a_channel_s_rest_outlives_a_restart_and_a_clock_that_is_set_back_ends_it() {
    let fixture = Fixture::new().await;
    for id in ["one", "two"] {
        queue(&*fixture.store, id, NotificationType::AlertFiring).await;
    }
    let claimed = claim(&*fixture.store, "soc", 100_000).await;
    let health = ChannelHealth {
        failures: 3,
        failing_since: Some(at(99_000)),
        failed: Some(FailedPeriod { from: at(1), until: at(2) }),
        cooldown_from: at(100_000),
        cooldown_until: at(100_900),
        proven_at: None,
    };
    let failed = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(100_900), may_have_arrived: false };
    fixture.store.settle(claimed.id, 1, failed, Some(health), at(100_000)).await.unwrap();
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let terms = ClaimTerms { longest_cooldown: Duration::from_hours(1), ..ClaimTerms::default() };
    assert_eq!(store.claim(&channel("soc"), terms, at(100_001)).await.unwrap(), Claim::Wait(at(100_900)));
    assert_eq!((record(store).await.health, record(store).await.last_error), (health, Some("503".to_owned())));
    let Claim::Send(again) = store.claim(&channel("soc"), terms, at(0)).await.unwrap() else {
        panic!("no rest is longer than an hour")
    };
    assert_eq!((again.id, again.health), (claimed.id, health));
}

async fn a_drill_that_arrives_lets_a_parked_channel_go_on() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    queue(store, "one", NotificationType::AlertFiring).await;
    let claimed = claim(store, "soc", 0).await;
    store.settle(claimed.id, 1, AttemptOutcome::Parked { error: "404".into() }, None, at(1)).await.unwrap();
    queue(store, "drill", NotificationType::Drill).await;
    assert_eq!(record(store).await.drilled_at, Some(at(0)));
    let drill = claim(store, "soc", 2).await;
    assert_eq!(drill.notification.kind, NotificationType::Drill);
    store.settle(drill.id, 1, AttemptOutcome::Delivered, None, at(3)).await.unwrap();
    assert_eq!(record(store).await.parked, None);
    assert_eq!(claim(store, "soc", 4).await.id, claimed.id);
}

async fn a_drill_that_a_person_saw_proves_its_channel() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    queue(store, "one", NotificationType::AlertFiring).await;
    queue(store, "drill", NotificationType::Drill).await;
    let id = |name| notification(name).data.facts.notification.id;
    assert!(store.confirm(&id("one"), by("confirm", 5)).await.unwrap().is_empty(), "not a drill");
    assert_eq!(store.confirm(&id("drill"), by("confirm", 5)).await.unwrap(), [channel("soc")]);
    assert_eq!(store.confirm(&id("drill"), by("confirm", 4)).await.unwrap(), [channel("soc")]);
    assert_eq!(record(store).await.health.proven_at, Some(at(5)));
    let entries = store.entries(&EntryFilter::default()).await.unwrap();
    let targets: Vec<_> = entries.iter().filter_map(|entry| entry.body.target.as_deref()).collect();
    assert_eq!(targets, ["channel soc"], "once, and not for what proves nothing new");
}

async fn a_late_confirmation_proves_the_channel_as_of_the_drill_s_arrival() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    queue(store, "drill", NotificationType::Drill).await;
    let drill = claim(store, "soc", 10).await;
    assert_eq!(store.drilled(&notification("drill").data.notification.id).await.unwrap(), [channel("soc")]);
    assert!(store.drilled(&notification("none").data.notification.id).await.unwrap().is_empty());
    store.settle(drill.id, 1, AttemptOutcome::Delivered, None, at(11)).await.unwrap();
    queue(store, "one", NotificationType::AlertFiring).await;
    let under_way = claim(store, "soc", 12).await;
    store.confirm(&drill.notification.data.notification.id, by("confirm", 1_000_000)).await.unwrap();
    let health = ChannelHealth { proven_at: None, ..under_way.health };
    store.settle(under_way.id, 1, AttemptOutcome::Delivered, Some(health), at(1_000_001)).await.unwrap();
    assert_eq!(
        record(store).await.health.proven_at,
        Some(at(11)),
        "an attempt that proves nothing takes no proof away"
    );
}

async fn a_drill_is_sent_when_nothing_else_is_due_and_covers_those_that_waited() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for (id, kind) in [
        ("drill 1", NotificationType::Drill),
        ("one", NotificationType::AlertFiring),
        ("drill 2", NotificationType::Drill),
        ("two", NotificationType::AlertFiring),
    ] {
        queue(store, id, kind).await;
    }
    let ids = ["one", "two", "drill 2"].map(|id| notification(id).data.facts.notification.id);
    for id in ids {
        let claimed = claim(store, "soc", 1).await;
        let message = &claimed.notification.data.notification;
        let is_drill = claimed.notification.kind == NotificationType::Drill;
        let spoken_for = if is_drill { vec![notification("drill 1").data.facts.notification.id] } else { Vec::new() };
        assert_eq!((&message.id, &message.covers), (&id, &spoken_for));
        store.settle(claimed.id, 1, AttemptOutcome::Delivered, None, at(1)).await.unwrap();
    }
    let deliveries = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    assert!(deliveries.iter().all(|delivery| delivery.state == DeliveryState::Delivered), "{deliveries:?}");
}

async fn a_parked_channel_s_drill_waits_for_its_time() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    queue(store, "one", NotificationType::AlertFiring).await;
    let claimed = claim(store, "soc", 0).await;
    store.settle(claimed.id, 1, AttemptOutcome::Parked { error: "404".into() }, None, at(1)).await.unwrap();
    queue(store, "drill", NotificationType::Drill).await;
    let drill = claim(store, "soc", 2).await;
    let later = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(900), may_have_arrived: false };
    store.settle(drill.id, 1, later, None, at(3)).await.unwrap();
    assert_eq!(store.claim(&channel("soc"), ClaimTerms::default(), at(899)).await.unwrap(), Claim::Parked);
    assert_eq!(claim(store, "soc", 900).await.id, drill.id);
}

async fn a_drill_that_is_planned_ahead_waits_for_its_moment_and_nothing_else_waits_for_it() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let mut drill = new_notification("drill", None, &["soc"]);
    drill.notification.kind = NotificationType::Drill;
    assert!(store.announce(drill, at(1_800)).await.unwrap());
    assert_eq!(store.claim(&channel("soc"), ClaimTerms::default(), at(0)).await.unwrap(), Claim::Wait(at(1_800)));
    queue(store, "one", NotificationType::AlertFiring).await;
    let alert = claim(store, "soc", 1).await;
    assert_eq!(alert.notification.kind, NotificationType::AlertFiring);
    store.settle(alert.id, 1, AttemptOutcome::Delivered, None, at(2)).await.unwrap();
    assert_eq!(claim(store, "soc", 1_800).await.notification.kind, NotificationType::Drill);
}

async fn what_a_clock_that_was_ahead_has_set_is_due() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    store.announce(new_notification("untried", None, &["soc"]), at(3_600)).await.unwrap();
    let untried = claim(store, "soc", 0).await;
    let retry = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(3_700), may_have_arrived: false };
    store.settle(untried.id, 1, AttemptOutcome::NotMade, None, at(0)).await.unwrap();
    let ahead = claim(store, "soc", 3_600).await;
    store.settle(ahead.id, 1, retry, None, at(3_601)).await.unwrap();
    assert_eq!(store.claim(&channel("soc"), ClaimTerms::default(), at(3_602)).await.unwrap(), Claim::Wait(at(3_700)));
    assert_eq!(claim(store, "soc", 10).await.attempt, 2, "its last attempt is still to come");
}

async fn the_time_until_the_first_drill_begins_once() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for seconds in [1, 2] {
        store.onboard_channels([channel("soc")].into(), at(seconds)).await.unwrap();
    }
    assert_eq!((record(store).await.drilled_at, record(store).await.seen_at), (Some(at(1)), Some(at(1))));
}

on_both! {
    a_channel_s_rest_outlives_a_restart_and_a_clock_that_is_set_back_ends_it,
    a_drill_that_arrives_lets_a_parked_channel_go_on,
    a_drill_that_a_person_saw_proves_its_channel,
    a_late_confirmation_proves_the_channel_as_of_the_drill_s_arrival,
    a_drill_is_sent_when_nothing_else_is_due_and_covers_those_that_waited,
    a_parked_channel_s_drill_waits_for_its_time,
    a_drill_that_is_planned_ahead_waits_for_its_moment_and_nothing_else_waits_for_it,
    what_a_clock_that_was_ahead_has_set_is_due,
    the_time_until_the_first_drill_begins_once,
}
