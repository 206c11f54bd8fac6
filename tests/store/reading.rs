//! What several rules say of one reading is one message; each alert keeps its own deliveries, end and acknowledgement.

use scorewatch::{
    domain::{ScoreKind, Severity, Timestamp},
    notify::{
        DeliveryState, NotificationType,
        notification::{AlertFacts, ScoreFacts, TenantFacts},
        silence::Acknowledgement,
    },
    rule::Resolution,
    store::{AttemptOutcome, Claim, ClaimTerms, ClaimedDelivery, DeliveryFilter, NewNotification, Store},
};

use super::fixture::*;

/// What a rule says of the reading of second `read`.
fn said(rule: &str, sequence: u64, is_over: bool, read: i64) -> NewNotification {
    let mut new = new_notification(&format!("{rule}{sequence}"), Some(key("contoso", rule)), &["soc"]);
    new.notification.kind = if is_over { NotificationType::AlertResolved } else { NotificationType::AlertFiring };
    let data = &mut new.notification.data;
    data.notification.sequence = sequence;
    data.alert = Some(AlertFacts {
        id: format!("alert_{rule}"),
        state: if is_over { "resolved" } else { "firing" }.to_owned(),
        severity: if rule == "drop" { Severity::Critical } else { Severity::Warning },
        started_at: at(0),
        resolved_at: is_over.then(|| at(read)),
        reason: None,
        remark: None,
        escalation: None,
        resolution: is_over.then_some(Resolution::Recovered),
        resolved_by: None,
    });
    data.tenant = Some(TenantFacts {
        id: "contoso".to_owned(),
        tenant_id: None,
        name: "Contoso".to_owned(),
        labels: scorewatch::domain::Labels::new(),
    });
    data.score = Some(ScoreFacts {
        kind: ScoreKind::DeviceSecureScore,
        all: false,
        subject: None,
        unit: "points".to_owned(),
        value: Some(250.0),
        baseline: None,
        previous: None,
        loss: None,
        loss_percent: None,
        observed_at: Some(at(read)),
        gap: None,
        points: None,
        comparison: None,
        excluded: None,
    });
    new
}

async fn asked(store: &dyn Store, merges_readings: bool, now: Timestamp) -> Claim {
    let terms = ClaimTerms { merge_over: Some(20), merges_readings, ..ClaimTerms::default() };
    store.claim(&channel("soc"), terms, now).await.unwrap()
}

async fn sent(store: &dyn Store, now: Timestamp) -> ClaimedDelivery {
    let Claim::Send(claimed) = asked(store, true, now).await else { panic!("nothing to send") };
    *claimed
}

async fn settle(store: &dyn Store, claimed: &ClaimedDelivery, seconds: i64) {
    store.settle(claimed.id, claimed.attempt, AttemptOutcome::Delivered, None, at(seconds)).await.unwrap();
}

async fn states(store: &dyn Store) -> Vec<DeliveryState> {
    let mut deliveries = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    deliveries.reverse();
    deliveries.iter().map(|delivery| delivery.state).collect()
}

/// Which rules a message names, the worst first.
fn rules(claimed: &ClaimedDelivery) -> Vec<String> {
    claimed.notification.data.items.iter().map(|item| item.alert.as_ref().unwrap().id.clone()).collect()
}

use DeliveryState::{Delivered, Merged, Sending};

async fn rules_that_fire_on_one_reading_are_one_message_and_each_alert_is_notified_ended_and_acknowledged_alone() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("floor", firing(1, 1)), update("drop", firing(1, 1))];
    outcome.notifications = vec![said("floor", 1, false, 5), said("drop", 1, false, 5)];
    commit(store, outcome).await;
    let one = sent(store, at(6)).await;
    assert_eq!(one.notification.kind, NotificationType::Digest);
    assert_eq!(rules(&one), ["alert_drop", "alert_floor"], "the worst first, and none is lost");
    assert_eq!(states(store).await, [Merged, Merged, Sending]);
    settle(store, &one, 7).await;
    assert_eq!(states(store).await, [Delivered; 3]);
    for alert in load(store, "contoso").await.alerts {
        assert_eq!((alert.notified_at, alert.notified_channels), (Some(at(7)), vec![channel("soc")]), "{}", alert.rule);
    }
    let by = Acknowledgement { at: at(8), by: "ana".to_owned(), comment: "seen".to_owned() };
    assert!(store.acknowledge(&key("contoso", "floor"), by, by_ann(at(0))).await.unwrap());
    let acknowledged = |rule: &'static str, alerts: &[scorewatch::store::AlertRecord]| {
        alerts.iter().any(|alert| alert.rule.as_str() == rule && alert.acknowledged.is_some())
    };
    let alerts = load(store, "contoso").await.alerts;
    assert!(acknowledged("floor", &alerts) && !acknowledged("drop", &alerts));
    // One ends later than the other: a message for each.
    assert!(store.announce(said("drop", 2, true, 20), at(20)).await.unwrap());
    let end = sent(store, at(20)).await;
    assert_eq!(end.notification.kind, NotificationType::AlertResolved);
    settle(store, &end, 21).await;
    assert!(store.announce(said("floor", 2, true, 35), at(35)).await.unwrap());
    assert_eq!(sent(store, at(35)).await.notification.kind, NotificationType::AlertResolved);
}

async fn what_is_about_different_readings_or_goes_to_a_program_stays_apart() {
    for (merges_readings, other) in [(true, 6), (false, 5)] {
        let fixture = Fixture::new().await;
        let store = &*fixture.store;
        for new in [said("drop", 1, false, 5), said("floor", 1, false, other)] {
            assert!(store.announce(new, at(6)).await.unwrap());
        }
        let mut messages = 0;
        while let Claim::Send(claimed) = asked(store, merges_readings, at(7)).await {
            assert_eq!(claimed.notification.kind, NotificationType::AlertFiring);
            settle(store, &claimed, 7).await;
            messages += 1;
        }
        assert_eq!(messages, 2, "{merges_readings}");
    }
}

async fn a_merged_reading_is_retried_whole_and_nothing_overtakes_it() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for new in [said("drop", 1, false, 5), said("floor", 1, false, 5)] {
        assert!(store.announce(new, at(6)).await.unwrap());
    }
    let first = sent(store, at(6)).await;
    let failed = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(9), may_have_arrived: true };
    store.settle(first.id, 1, failed, None, at(7)).await.unwrap();
    assert!(store.announce(said("floor", 2, true, 8), at(8)).await.unwrap());
    assert_eq!(asked(store, true, at(8)).await, Claim::Wait(at(9)), "the end waits for the beginning");
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let again = sent(store, at(9)).await;
    assert!(again.id == first.id && again.possible_duplicate);
    assert_eq!(rules(&again).len(), 2);
    settle(store, &again, 10).await;
    assert_eq!(sent(store, at(11)).await.notification.kind, NotificationType::AlertResolved);
}

on_both! {
    rules_that_fire_on_one_reading_are_one_message_and_each_alert_is_notified_ended_and_acknowledged_alone,
    what_is_about_different_readings_or_goes_to_a_program_stays_apart,
    a_merged_reading_is_retried_whole_and_nothing_overtakes_it,
}
