//! Deliveries that go along with another: folded into the newest of their alert, or taken by a digest.

use std::time::Duration;

use scorewatch::{
    domain::{Labels, Severity, Timestamp},
    notify::{
        DeliveryId, DeliveryState, NotificationType, digest,
        notification::{AlertFacts, TenantFacts},
    },
    store::{AttemptOutcome, Claim, ClaimTerms, ClaimedDelivery, DeliveryFilter, NewNotification, Store},
};

use super::{
    fixture::*,
    fleet::{due, known, note, notice, says},
};

/// The `sequence`th notification of a rule's alert of `contoso`.
fn of_alert(rule: &str, sequence: u64, is_over: bool) -> NewNotification {
    let id = format!("{rule}{sequence}");
    let mut new = new_notification(&id, Some(key("contoso", rule)), &["soc"]);
    new.notification.kind = if is_over { NotificationType::AlertResolved } else { NotificationType::AlertFiring };
    new.notification.data.notification.sequence = sequence;
    new.notification.data.alert = Some(AlertFacts {
        id: format!("alert_{rule}"),
        state: if is_over { "resolved" } else { "firing" }.to_owned(),
        severity: Severity::Warning,
        started_at: at(0),
        resolved_at: is_over.then(|| at(0)),
        reason: None,
        remark: None,
        escalation: None,
        resolution: None,
        resolved_by: None,
    });
    new.notification.data.tenant = Some(TenantFacts {
        id: "contoso".to_owned(),
        tenant_id: None,
        name: "Contoso".to_owned(),
        labels: Labels::new(),
    });
    new
}

async fn queue(store: &dyn Store, new: NewNotification) {
    assert!(store.announce(new, at(0)).await.unwrap());
}

fn merging(over: usize) -> ClaimTerms {
    ClaimTerms { merge_over: Some(over), ..ClaimTerms::default() }
}

async fn claim_merging(store: &dyn Store, over: usize, now: Timestamp) -> ClaimedDelivery {
    match store.claim(&channel("soc"), merging(over), now).await.unwrap() {
        Claim::Send(claimed) => *claimed,
        other => panic!("{other:?}"),
    }
}

/// The states of all deliveries, oldest first.
async fn states(store: &dyn Store) -> Vec<DeliveryState> {
    let mut deliveries = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    deliveries.reverse();
    deliveries.iter().map(|delivery| delivery.state).collect()
}

use DeliveryState::{Dead, Delivered, Merged, Queued, Sending, Suppressed};

async fn a_fire_and_its_resolve_that_both_wait_become_one_message() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("a", resolved(1, 2))];
    outcome.notifications = vec![of_alert("a", 1, false), of_alert("a", 2, true)];
    commit(store, outcome).await;
    let claimed = claim_merging(store, 20, at(1)).await;
    assert_eq!(claimed.notification.data.notification.id, notification("a2").data.notification.id);
    assert_eq!(claimed.notification.data.notification.covers, [notification("a1").data.facts.notification.id]);
    assert_eq!(states(store).await, [Merged, Sending]);
    store.settle(claimed.id, 1, AttemptOutcome::Delivered, None, at(2)).await.unwrap();
    assert_eq!(states(store).await, [Delivered, Delivered]);
    assert_eq!(load(store, "contoso").await.alerts[0].notified_at, Some(at(2)));
}

async fn what_was_folded_is_folded_on_and_keeps_its_place() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    queue(store, of_alert("a", 1, false)).await;
    queue(store, of_alert("a", 2, false)).await;
    let first = claim_merging(store, 20, at(0)).await;
    let failed = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(10), may_have_arrived: false };
    store.settle(first.id, 1, failed, None, at(1)).await.unwrap();
    queue(store, of_alert("a", 3, true)).await;
    let second = claim_merging(store, 20, at(10)).await;
    let covers = &second.notification.data.notification.covers;
    assert_eq!(covers.len(), 2, "{covers:?}");
    assert_eq!(states(store).await, [Merged, Merged, Sending]);
    store.settle(second.id, 1, AttemptOutcome::Dead { error: "400".into() }, None, at(11)).await.unwrap();
    assert_eq!(states(store).await, [Dead, Dead, Dead]);
}

async fn more_than_the_limit_go_out_as_one_and_fare_as_it_does() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for rule in ["a", "b", "c"] {
        queue(store, of_alert(rule, 1, false)).await;
    }
    let alone = claim_merging(store, 3, at(0)).await;
    assert_eq!(alone.notification.kind, NotificationType::AlertFiring, "three are not more than three");
    store.settle(alone.id, 1, AttemptOutcome::NotMade, None, at(0)).await.unwrap();
    queue(store, of_alert("d", 1, false)).await;
    queue(store, of_alert("d", 2, true)).await;
    let taken = claim_merging(store, 3, at(1)).await;
    assert_eq!(taken.notification.kind, NotificationType::Digest);
    let items = &taken.notification.data.items;
    assert_eq!(items.len(), 4);
    assert_eq!(items.iter().map(|item| item.notification.covers.len()).sum::<usize>(), 1);
    assert_eq!(states(store).await, [Merged, Merged, Merged, Merged, Merged, Sending]);
    let failed = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(9), may_have_arrived: false };
    store.settle(taken.id, 1, failed, None, at(2)).await.unwrap();
    queue(store, of_alert("a", 2, true)).await;
    let wait = store.claim(&channel("soc"), merging(3), at(3)).await.unwrap();
    assert_eq!(wait, Claim::Wait(at(9)), "what comes later of the same alert waits for the digest");
    let fixture = fixture.reopen().await;
    let again = claim_merging(&*fixture.store, 3, at(9)).await;
    assert_eq!((again.id, again.notification.data.items.len()), (taken.id, 4));
    fixture.store.settle(again.id, 2, AttemptOutcome::Delivered, None, at(10)).await.unwrap();
    assert_eq!(states(&*fixture.store).await[..5], [Delivered; 5]);
    let later = claim_merging(&*fixture.store, 3, at(11)).await;
    assert_eq!(later.notification.data.notification.id, notification("a2").data.notification.id);
}

async fn what_died_with_a_digest_is_merged_when_it_is_sent_again() {
    let fixture = Fixture::new().await;
    let store = fixture.store.as_ref();
    for rule in ["a", "b", "c"] {
        queue(store, of_alert(rule, 1, false)).await;
    }
    let digest = claim_merging(store, 2, at(1)).await;
    let dead = AttemptOutcome::Dead { error: "the receiver answered 400".to_owned() };
    store.settle(digest.id, digest.attempt, dead, None, at(1)).await.unwrap();
    assert_eq!(states(store).await, [Dead; 4]);
    assert!(store.resend(digest.id, by_ann(at(2))).await.unwrap());
    assert_eq!(states(store).await, [Merged, Merged, Merged, Queued]);
    let again = claim_merging(store, 2, at(2)).await;
    assert_eq!(again.id, digest.id);
    store.settle(again.id, again.attempt, AttemptOutcome::Delivered, None, at(2)).await.unwrap();
    assert_eq!(states(store).await, [Delivered; 4]);
}

async fn ten_thousand_waiting_become_one_message_and_none_is_left() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let mut outcome = check("contoso", None, 0);
    outcome.notifications = (0..10_000).map(|number| of_alert(&format!("r{number}"), 1, false)).collect();
    commit(store, outcome).await;
    let mut messages = 0;
    while let Claim::Send(claimed) = store.claim(&channel("soc"), merging(20), at(1)).await.unwrap() {
        let data = &claimed.notification.data;
        let facts = data.digest.as_ref().unwrap();
        assert_eq!((data.items.len(), facts.firing), (digest::LINES_MAX, 10_000));
        assert_eq!(facts.more.iter().map(|more| more.count).sum::<usize>(), 10_000 - digest::LINES_MAX);
        let short = data.notification.short_id.to_string();
        assert_eq!(facts.stored_as.as_ref(), Some(&short), "by which all of them can be looked up");
        store.settle(claimed.id, 1, AttemptOutcome::Delivered, None, at(1)).await.unwrap();
        messages += 1;
    }
    assert_eq!(messages, 1);
    let detail = store.delivery(DeliveryId(10_001)).await.unwrap().unwrap();
    assert_eq!(detail.covers.len(), 10_000);
    assert!(store.busy_channels().await.unwrap().is_empty());
}

async fn of_a_digest_that_may_not_be_shown_whole_the_rest_waits_again() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let tenant = |name| scorewatch::domain::TenantId::parse(name).unwrap();
    for (rule, owner) in [("a", "contoso"), ("b", "fabrikam"), ("c", "contoso")] {
        let new = of_alert(rule, 1, false);
        queue(store, NewNotification { tenant: Some(tenant(owner)), ..new }).await;
    }
    let taken = claim_merging(store, 1, at(0)).await;
    assert_eq!(taken.covers, [Some(tenant("contoso")), Some(tenant("fabrikam"))].into());
    store.suppress(taken.id, [Some(tenant("fabrikam"))].into(), true, "fenced", at(1)).await.unwrap();
    assert_eq!(states(store).await, [Queued, Dead, Queued, Suppressed]);
    let again = claim_merging(store, 1, at(1)).await;
    assert_eq!((again.covers.len(), again.notification.data.items.len()), (1, 2));
    store.settle(again.id, 1, AttemptOutcome::Delivered, None, at(2)).await.unwrap();
    assert_eq!(states(store).await, [Delivered, Dead, Delivered, Suppressed, Delivered]);
}

async fn a_rejected_form_is_plain_at_the_next_attempt() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    queue(store, of_alert("a", 1, false)).await;
    let rich = claim(store, "soc", 0).await;
    assert!(!rich.plain);
    let rejected = AttemptOutcome::Plainer { error: "invalid_blocks".into() };
    store.settle(rich.id, 1, rejected, None, at(1)).await.unwrap();
    assert_eq!(states(store).await, [Queued]);
    assert!(claim(store, "soc", 1).await.plain);
}

async fn retries_wait_for_their_time_and_first_tries_pass_them() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    queue(store, of_alert("a", 1, false)).await;
    let failed = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(1), may_have_arrived: true };
    let first = claim(store, "soc", 0).await;
    store.settle(first.id, 1, failed, None, at(1)).await.unwrap();
    let terms = ClaimTerms { retries_from: at(60), ..ClaimTerms::default() };
    assert_eq!(store.claim(&channel("soc"), terms, at(2)).await.unwrap(), Claim::Wait(at(60)));
    queue(store, of_alert("b", 1, false)).await;
    let Claim::Send(passing) = store.claim(&channel("soc"), terms, at(2)).await.unwrap() else { panic!() };
    assert_ne!(passing.id, first.id);
    store.settle(passing.id, 1, AttemptOutcome::Delivered, None, at(3)).await.unwrap();
    let Claim::Send(retried) = store.claim(&channel("soc"), terms, at(60)).await.unwrap() else { panic!() };
    assert!(retried.id == first.id && retried.possible_duplicate, "its first attempt may have arrived");
}

async fn what_goes_before_a_notice_is_not_put_off_until_after_it() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let said = |kind, sequence, until| {
        let mut new = says("t1", "soc", kind, until);
        new.notification.data.notification.sequence = sequence;
        new
    };
    let mut outcome = check("t1", None, 0);
    outcome.alerts = vec![update("low", firing(1, 1))];
    outcome.notifications = vec![said(NotificationType::AlertFiring, 1, None)];
    commit(store, outcome).await;
    assert!(store.announce(said(NotificationType::AlertWorsened, 2, Some(50)), at(20)).await.unwrap());
    note(store, known("shift", 10)).await;
    let runs = due(store, 50).await;
    assert!(store.notify_shift(known("shift", 10), vec![notice("soc", &[&runs[0]])], at(60)).await.unwrap());
    assert!(store.announce(said(NotificationType::AlertResolved, 3, None), at(70)).await.unwrap());
    assert_eq!(states(store).await, [Queued, Merged, Queued, Queued]);
    let terms = ClaimTerms { merge_over: Some(50), longest_cooldown: Duration::from_hours(1), ..ClaimTerms::default() };
    let mut sent = Vec::new();
    for seconds in [80, 90, 100] {
        let Claim::Send(next) = store.claim(&channel("soc"), terms, at(seconds)).await.unwrap() else { break };
        sent.push(next.notification.kind);
        // If the end said the beginning too, the notice would wait for it, and it for the notice.
        let retry =
            AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(seconds), may_have_arrived: false };
        store.settle(next.id, next.attempt, retry, None, at(seconds)).await.unwrap();
        let Claim::Send(again) = store.claim(&channel("soc"), terms, at(seconds + 1)).await.unwrap() else { break };
        assert_eq!(again.id, next.id);
        store.settle(again.id, again.attempt, AttemptOutcome::Delivered, None, at(seconds + 2)).await.unwrap();
    }
    let in_order = [NotificationType::AlertFiring, NotificationType::FleetShift, NotificationType::AlertResolved];
    assert_eq!(sent, in_order);
}

on_both! {
    a_fire_and_its_resolve_that_both_wait_become_one_message,
    what_was_folded_is_folded_on_and_keeps_its_place,
    more_than_the_limit_go_out_as_one_and_fare_as_it_does,
    what_died_with_a_digest_is_merged_when_it_is_sent_again,
    ten_thousand_waiting_become_one_message_and_none_is_left,
    of_a_digest_that_may_not_be_shown_whole_the_rest_waits_again,
    a_rejected_form_is_plain_at_the_next_attempt,
    retries_wait_for_their_time_and_first_tries_pass_them,
    what_goes_before_a_notice_is_not_put_off_until_after_it,
}
