//! Ends of deliveries. However one ends, it was delivered, something delivered covers it, or the operator is notified of it.

use scorewatch::{
    domain::Timestamp,
    notify::{DeliveryId, DeliveryState},
    store::{AttemptOutcome, ClaimTerms, DeliveryFilter, Store},
};

use super::fixture::*;

/// What must be so of a delivery in a state for nobody to be left in the dark.
#[derive(Debug, PartialEq, Eq)]
enum Assurance {
    /// The receiver has it.
    Delivered,
    /// It is still to be sent.
    Waits,
    /// It goes along with one that is still to be sent.
    Covered,
    /// Nobody was to be notified any more: a person silenced it, and it was over or is said by another one.
    Suppressed,
    /// The operator is notified of it.
    Operator,
}

/// No default: a new state does not compile before somebody says here who is notified.
const fn assurance(state: DeliveryState) -> Assurance {
    match state {
        DeliveryState::Delivered => Assurance::Delivered,
        DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Parked | DeliveryState::Held => {
            Assurance::Waits
        }
        DeliveryState::Merged => Assurance::Covered,
        DeliveryState::Suppressed => Assurance::Suppressed,
        DeliveryState::Dead => Assurance::Operator,
    }
}

/// Every outcome of an attempt; no default, as above.
fn expected(outcome: &AttemptOutcome) -> Assurance {
    match outcome {
        AttemptOutcome::Delivered => Assurance::Delivered,
        AttemptOutcome::Retry { .. }
        | AttemptOutcome::Plainer { .. }
        | AttemptOutcome::Parked { .. }
        | AttemptOutcome::StillParked { .. }
        | AttemptOutcome::NotMade => Assurance::Waits,
        AttemptOutcome::Rejected { .. } | AttemptOutcome::Dead { .. } => Assurance::Operator,
    }
}

async fn state(store: &dyn Store, id: DeliveryId) -> DeliveryState {
    store.delivery(id).await.unwrap().unwrap().delivery.state
}

async fn is_operator_notified(store: &dyn Store, since: Timestamp) -> bool {
    !store.unnoticed_dead(since).await.unwrap().is_empty()
}

async fn whatever_comes_of_an_attempt_nobody_is_left_in_the_dark() {
    let error = || "why".to_owned();
    for outcome in [
        AttemptOutcome::Delivered,
        AttemptOutcome::Retry { error: error(), next_attempt_at: at(9), may_have_arrived: true },
        AttemptOutcome::Plainer { error: error() },
        AttemptOutcome::Rejected { error: error() },
        AttemptOutcome::Dead { error: error() },
        AttemptOutcome::Parked { error: error() },
        AttemptOutcome::StillParked { error: error(), may_have_arrived: false },
        AttemptOutcome::NotMade,
    ] {
        let fixture = Fixture::new().await;
        let store = &*fixture.store;
        assert!(store.announce(new_notification("one", Some(key("contoso", "low")), &["soc"]), at(0)).await.unwrap());
        let claimed = claim(store, "soc", 0).await;
        store.settle(claimed.id, 1, outcome.clone(), None, at(1)).await.unwrap();
        let assured = assurance(state(store, claimed.id).await);
        assert_eq!(assured, expected(&outcome), "{outcome:?}");
        let is_busy = !store.busy_channels().await.unwrap().is_empty();
        let is_notified = is_operator_notified(store, at(0)).await;
        assert_eq!(
            (is_busy, is_notified),
            (assured == Assurance::Waits, assured == Assurance::Operator),
            "{outcome:?}"
        );
    }
}

async fn a_rejection_is_put_down_to_the_message_once() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for (id, rule) in [("one", "a"), ("two", "b"), ("three", "c")] {
        assert!(store.announce(new_notification(id, Some(key("contoso", rule)), &["soc"]), at(0)).await.unwrap());
    }
    let rejected = || AttemptOutcome::Rejected { error: "422".into() };
    let first = claim(store, "soc", 0).await;
    store.settle(first.id, 1, rejected(), None, at(1)).await.unwrap();
    assert_eq!(state(store, first.id).await, DeliveryState::Dead);
    assert!(store.resend(first.id, by_ann(at(1))).await.unwrap());
    let again = claim(store, "soc", 1).await;
    assert_eq!(again.id, first.id);
    store.settle(again.id, 2, rejected(), None, at(2)).await.unwrap();
    assert_eq!(
        state(store, first.id).await,
        DeliveryState::Dead,
        "the same message again says nothing of its receiver"
    );
    let second = claim(store, "soc", 2).await;
    store.settle(second.id, 1, rejected(), None, at(3)).await.unwrap();
    assert_eq!([state(store, first.id).await, state(store, second.id).await], [DeliveryState::Parked; 2]);
    assert!(!is_operator_notified(store, at(0)).await, "neither is a dead letter");
    let parked = store.channels().await.unwrap()[0].parked.clone().unwrap();
    assert_eq!(parked.reason, "422, to one message after the other");

    let terms = ClaimTerms { probe_after: std::time::Duration::from_secs(10), ..ClaimTerms::default() };
    let claim_at = async |seconds| store.claim(&channel("soc"), terms, at(seconds)).await.unwrap();
    assert_eq!(claim_at(12).await, scorewatch::store::Claim::Parked);
    let scorewatch::store::Claim::Send(probe) = claim_at(13).await else { panic!("it is time") };
    assert!(probe.id == first.id && probe.is_probe);
    store.settle(probe.id, probe.attempt, AttemptOutcome::Delivered, None, at(14)).await.unwrap();
    assert_eq!(store.channels().await.unwrap()[0].parked, None);
    assert_eq!(claim(store, "soc", 14).await.id, second.id);
}

async fn the_operator_is_notified_of_dead_letters_by_channel_and_cause_and_of_each_once() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let die = async |id: &str, why: &str, seconds| {
        assert!(store.announce(new_notification(id, Some(key("contoso", id)), &["soc"]), at(seconds)).await.unwrap());
        let claimed = claim(store, "soc", seconds).await;
        let dead = AttemptOutcome::Dead { error: why.into() };
        store.settle(claimed.id, 1, dead, None, at(seconds)).await.unwrap();
        claimed.id
    };
    let first = die("a", "too large", 1).await;
    die("b", "too large", 2).await;
    die("c", "given up", 3).await;
    let letters = store.unnoticed_dead(at(0)).await.unwrap();
    let shown: Vec<_> = letters.iter().map(|one| (one.cause.as_str(), one.count)).collect();
    assert_eq!(shown, [("given up", 1), ("too large", 2)]);
    assert_eq!((letters[1].first, letters[1].since), (first, at(1)));
    store.notice_dead(letters[1].clone(), new_notification("notice", None, &["ops"]), at(4)).await.unwrap();
    die("d", "too large", 5).await;
    let causes = async |since| -> Vec<(String, u64)> {
        store.unnoticed_dead(since).await.unwrap().into_iter().map(|one| (one.cause, one.count)).collect()
    };
    assert_eq!(causes(at(0)).await, [("given up".to_owned(), 1)], "not again so soon");
    assert_eq!(causes(at(4)).await, [("given up".to_owned(), 1), ("too large".to_owned(), 1)], "but in the end");
    let to_ops = DeliveryFilter { channel: Some(channel("ops")), ..DeliveryFilter::default() };
    assert_eq!(store.deliveries(&to_ops).await.unwrap().len(), 1);
}

on_both! {
    whatever_comes_of_an_attempt_nobody_is_left_in_the_dark,
    a_rejection_is_put_down_to_the_message_once,
    the_operator_is_notified_of_dead_letters_by_channel_and_cause_and_of_each_once,
}
