//! Deliveries: order, attempts, and what of them survives.

use std::time::Duration;

use scorewatch::{
    notify::{DeliveryId, DeliveryState},
    store::{AttemptOutcome, Claim, ClaimTerms, DeliveryFilter, Store},
};

use super::fixture::*;

async fn state(store: &dyn Store, id: DeliveryId) -> DeliveryState {
    store.delivery(id).await.unwrap().unwrap().delivery.state
}

fn retry(seconds: i64) -> AttemptOutcome {
    AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(seconds), may_have_arrived: false }
}

async fn asked(store: &dyn Store, name: &str, seconds: i64) -> Claim {
    store.claim(&channel(name), ClaimTerms::default(), at(seconds)).await.unwrap()
}

async fn deliveries_of_one_alert_keep_their_order_and_others_pass_a_waiting_one() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("a", firing(1, 1)), update("b", firing(1, 1))];
    for (id, rule) in [("a1", "a"), ("a2", "a"), ("b1", "b")] {
        outcome.notifications.push(new_notification(id, Some(key("contoso", rule)), &["soc"]));
    }
    commit(store, outcome).await;
    let first = claim(store, "soc", 0).await;
    assert_eq!(first.notification, notification("a1"));
    assert_eq!(asked(store, "soc", 0).await, Claim::Idle, "one at a time");
    store.settle(first.id, 1, retry(100), None, at(1)).await.unwrap();
    let other = claim(store, "soc", 2).await;
    assert_eq!(other.notification, notification("b1"), "a2 waits for a1, b1 for nobody");
    store.settle(other.id, 1, AttemptOutcome::Delivered, None, at(3)).await.unwrap();
    assert_eq!(asked(store, "soc", 4).await, Claim::Wait(at(100)));
    let again = claim(store, "soc", 100).await;
    assert_eq!((again.id, again.attempt, again.queued_at), (first.id, 2, at(0)));
    store.settle(again.id, 2, AttemptOutcome::Delivered, None, at(101)).await.unwrap();
    assert_eq!(claim(store, "soc", 101).await.notification, notification("a2"));
    assert_eq!(asked(store, "elsewhere", 0).await, Claim::Idle);
}

async fn an_attempt_is_on_record_before_it_is_made_and_a_crash_marks_a_possible_duplicate() {
    let fixture = Fixture::new().await;
    fixture.store.announce(new_notification("one", None, &["soc"]), at(0)).await.unwrap();
    fixture.store.announce(new_notification("two", None, &["soc"]), at(0)).await.unwrap();
    let claimed = claim(&*fixture.store, "soc", 5).await;
    assert!(!claimed.possible_duplicate && !claimed.notification.data.notification.possible_duplicate);
    let fixture = fixture.reopen().await;
    let detail = fixture.store.delivery(claimed.id).await.unwrap().unwrap();
    assert_eq!((detail.delivery.state, detail.delivery.attempts), (DeliveryState::Sending, 1));
    let attempt = &detail.attempts[0];
    assert_eq!((attempt.number, attempt.started_at, attempt.finished_at), (1, at(5), None));
    assert_eq!(fixture.store.recover(at(9)).await.unwrap(), 1);
    assert_eq!(fixture.store.recover(at(9)).await.unwrap(), 0);
    let again = claim(&*fixture.store, "soc", 9).await;
    assert_eq!((again.id, again.attempt), (claimed.id, 2));
    assert!(again.possible_duplicate && again.notification.data.notification.possible_duplicate);
    fixture.store.settle(again.id, 2, AttemptOutcome::Delivered, None, at(10)).await.unwrap();
    let untouched = claim(&*fixture.store, "soc", 10).await;
    assert!(!untouched.possible_duplicate, "only what was under way is marked");
}

async fn an_attempt_that_is_not_the_present_one_settles_nothing() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    store.announce(new_notification("one", None, &["soc"]), at(0)).await.unwrap();
    let claimed = claim(store, "soc", 0).await;
    store.settle(claimed.id, 1, retry(10), None, at(1)).await.unwrap();
    store.settle(claimed.id, 1, AttemptOutcome::Delivered, None, at(2)).await.unwrap();
    assert_eq!(state(store, claimed.id).await, DeliveryState::Queued);
    claim(store, "soc", 10).await;
    for stale in [AttemptOutcome::Delivered, AttemptOutcome::NotMade, AttemptOutcome::Parked { error: "x".into() }] {
        store.settle(claimed.id, 1, stale, None, at(11)).await.unwrap();
    }
    assert_eq!(state(store, claimed.id).await, DeliveryState::Sending);
    store.settle(claimed.id, 2, AttemptOutcome::Dead { error: "400".into() }, None, at(12)).await.unwrap();
    store.settle(claimed.id, 2, AttemptOutcome::Delivered, None, at(13)).await.unwrap();
    let detail = store.delivery(claimed.id).await.unwrap().unwrap();
    assert_eq!((detail.delivery.state, detail.delivery.finished_at), (DeliveryState::Dead, Some(at(12))));
    let outcomes: Vec<_> = detail.attempts.iter().map(|attempt| attempt.outcome.as_deref().unwrap()).collect();
    assert_eq!(outcomes, ["retry", "dead"]);
    assert_eq!(detail.delivery.last_error.as_deref(), Some("400"));
}

async fn an_attempt_that_was_not_made_leaves_no_trace() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    store.announce(new_notification("one", None, &["soc"]), at(0)).await.unwrap();
    let claimed = claim(store, "soc", 0).await;
    store.settle(claimed.id, 1, AttemptOutcome::NotMade, None, at(1)).await.unwrap();
    let detail = store.delivery(claimed.id).await.unwrap().unwrap();
    assert_eq!((detail.delivery.state, detail.delivery.attempts), (DeliveryState::Queued, 0));
    assert!(detail.attempts.is_empty());
    assert_eq!(claim(store, "soc", 1).await.attempt, 1);
}

async fn an_alert_is_notified_when_its_newest_notification_reaches_a_final_state() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let alert = Some(key("contoso", "a"));
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("a", firing(1, 1))];
    outcome.notifications = vec![new_notification("n1", alert.clone(), &["soc", "soar"])];
    commit(store, outcome).await;
    let notified = async || load(store, "contoso").await.alerts[0].notified_at;
    let first = claim(store, "soc", 1).await;
    store.settle(first.id, 1, retry(50), None, at(2)).await.unwrap();
    assert_eq!(notified().await, None, "not at rest");
    let soar = claim(store, "soar", 3).await;
    store.settle(soar.id, 1, AttemptOutcome::Delivered, None, at(4)).await.unwrap();
    assert_eq!(notified().await, Some(at(4)));

    let mut outcome = check("contoso", Some(1), 10);
    outcome.alerts = vec![update("a", firing(1, 2))];
    outcome.notifications = vec![new_notification("n2", alert.clone(), &["late"])];
    commit(store, outcome).await;
    assert_eq!(notified().await, None, "the newest is on its way");
    let old = claim(store, "soc", 50).await;
    store.settle(old.id, 2, AttemptOutcome::Delivered, None, at(51)).await.unwrap();
    assert_eq!(notified().await, None, "an older one does not count");
    let late = claim(store, "late", 60).await;
    store.settle(late.id, 1, AttemptOutcome::Dead { error: "400".into() }, None, at(61)).await.unwrap();
    assert_eq!(notified().await, Some(at(61)));
    let row = &store.alerts(&scorewatch::store::AlertFilter::default()).await.unwrap()[0];
    assert_eq!(row.notified_channels, [channel("late"), channel("soar"), channel("soc")]);
    assert_eq!(row.last_notification, Some(notification("n2")));

    let mut outcome = check("contoso", Some(2), 70);
    outcome.alerts = vec![update("a", firing(2, 0))];
    commit(store, outcome).await;
    assert_eq!(load(store, "contoso").await.alerts[0].notified_channels, [], "another generation");
    let mut outcome = check("contoso", Some(3), 80);
    outcome.alerts = vec![update("a", firing(2, 1))];
    outcome.notifications = vec![new_notification("n3", alert, &["soar"])];
    commit(store, outcome).await;
    assert_eq!(load(store, "contoso").await.alerts[0].notified_channels, [channel("soar")]);
}

async fn a_parked_channel_keeps_its_queue_until_it_is_let_go() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for id in ["one", "two"] {
        store.announce(new_notification(id, None, &["soc"]), at(0)).await.unwrap();
    }
    let claimed = claim(store, "soc", 1).await;
    store.settle(claimed.id, 1, AttemptOutcome::Parked { error: "410".into() }, None, at(2)).await.unwrap();
    assert_eq!(state(store, claimed.id).await, DeliveryState::Parked);
    assert_eq!(asked(store, "soc", 1000).await, Claim::Parked);
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let known = store.channels().await.unwrap();
    let parked = known[0].parked.as_ref().unwrap();
    assert_eq!((known.len(), parked.reason.as_str(), parked.since), (1, "410", at(2)));
    assert!(store.unpark(&channel("soc"), by_ann(at(2000))).await.unwrap());
    assert!(!store.unpark(&channel("soc"), by_ann(at(2000))).await.unwrap());
    let again = claim(store, "soc", 2000).await;
    let from_now_on = "what was kept is not given up for the time in which it could not be sent";
    assert_eq!((again.id, again.attempt, again.queued_at), (claimed.id, 2, at(2000)), "{from_now_on}");
    store.settle(again.id, 2, AttemptOutcome::Delivered, None, at(2001)).await.unwrap();
    let next = claim(store, "soc", 2001).await;
    assert_eq!((next.notification, next.queued_at), (notification("two"), at(2000)), "{from_now_on}");
}

async fn a_dead_letter_is_sent_again_under_its_old_id() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    store.announce(new_notification("one", None, &["soc"]), at(0)).await.unwrap();
    let claimed = claim(store, "soc", 0).await;
    assert!(!store.resend(claimed.id, by_ann(at(1))).await.unwrap(), "it is under way");
    store.settle(claimed.id, 1, AttemptOutcome::Dead { error: "400".into() }, None, at(1)).await.unwrap();
    assert_eq!(asked(store, "soc", 5).await, Claim::Idle);
    assert!(store.busy_channels().await.unwrap().is_empty());
    assert!(store.resend(claimed.id, by_ann(at(9))).await.unwrap());
    assert!(!store.resend(DeliveryId(999), by_ann(at(9))).await.unwrap());
    let again = claim(store, "soc", 9).await;
    assert_eq!((again.id, again.attempt, again.queued_at), (claimed.id, 2, at(9)));
    assert_eq!(again.notification, claimed.notification);
}

async fn of_many_attempts_the_newest_fifty_are_kept() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    store.announce(new_notification("one", None, &["soc"]), at(0)).await.unwrap();
    for number in 1..=60 {
        let claimed = claim(store, "soc", i64::from(number)).await;
        store.settle(claimed.id, number, retry(0), None, at(i64::from(number))).await.unwrap();
    }
    let deliveries = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    let attempts = store.delivery(deliveries[0].id).await.unwrap().unwrap().attempts;
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), (11..=60).collect::<Vec<_>>());
}

async fn counts_and_listings_agree_with_what_happened() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for (id, channels) in [("a", &["soc", "soar"][..]), ("b", &["soc"]), ("c", &["soc"])] {
        store.announce(new_notification(id, None, channels), at(0)).await.unwrap();
    }
    let first = claim(store, "soc", 0).await;
    store.settle(first.id, 1, AttemptOutcome::Dead { error: "400".into() }, None, at(1)).await.unwrap();
    let second = claim(store, "soc", 1).await;
    store.settle(second.id, 1, AttemptOutcome::Delivered, None, at(1)).await.unwrap();
    claim(store, "soar", 1).await;
    let totals = store.totals().await.unwrap();
    let mut counted: Vec<_> =
        totals.deliveries.iter().map(|(name, state, count)| (name.as_str(), state.as_str(), *count)).collect();
    counted.sort_unstable();
    assert_eq!(counted, [("soar", "sending", 1), ("soc", "dead", 1), ("soc", "queued", 1)]);
    assert_eq!(totals.oldest_queued_at, [(channel("soar"), at(0)), (channel("soc"), at(0))]);
    let count = async |filter: DeliveryFilter| store.deliveries(&filter).await.unwrap().len();
    assert_eq!(count(DeliveryFilter::default()).await, 4);
    assert_eq!(count(DeliveryFilter { limit: 3, ..DeliveryFilter::default() }).await, 3);
    assert_eq!(count(DeliveryFilter { channel: Some(channel("soc")), ..DeliveryFilter::default() }).await, 3);
    let states = vec![DeliveryState::Dead, DeliveryState::Delivered];
    assert_eq!(count(DeliveryFilter { states, ..DeliveryFilter::default() }).await, 2);
    assert_eq!(count(DeliveryFilter { tenant: Some(tenant("x")), ..DeliveryFilter::default() }).await, 0);
}

async fn retention_removes_finished_deliveries_only() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    store.announce(new_notification("done", None, &["soc"]), at(0)).await.unwrap();
    store.announce(new_notification("waiting", None, &["soc"]), at(0)).await.unwrap();
    let done = claim(store, "soc", 0).await;
    store.settle(done.id, 1, AttemptOutcome::Delivered, None, at(1)).await.unwrap();
    while store.prune(at(1000), Duration::from_secs(10)).await.unwrap() {}
    assert!(store.delivery(done.id).await.unwrap().is_none());
    assert_eq!(claim(store, "soc", 1000).await.notification, notification("waiting"));
    assert!(
        store.announce(new_notification("done", None, &[]), at(1000)).await.unwrap(),
        "its notification is gone too"
    );
}

on_both! {
    deliveries_of_one_alert_keep_their_order_and_others_pass_a_waiting_one,
    an_attempt_is_on_record_before_it_is_made_and_a_crash_marks_a_possible_duplicate,
    an_attempt_that_is_not_the_present_one_settles_nothing,
    an_attempt_that_was_not_made_leaves_no_trace,
    an_alert_is_notified_when_its_newest_notification_reaches_a_final_state,
    a_parked_channel_keeps_its_queue_until_it_is_let_go,
    a_dead_letter_is_sent_again_under_its_old_id,
    of_many_attempts_the_newest_fifty_are_kept,
    counts_and_listings_agree_with_what_happened,
    retention_removes_finished_deliveries_only,
}
