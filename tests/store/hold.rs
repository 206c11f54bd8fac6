//! Deliveries that are held, and what becomes of them.

use scorewatch::{
    domain::Severity,
    notify::{
        DeliveryId, DeliveryState, Hold, HoldReason, NotificationType,
        notification::{AlertFacts, EscalationFacts},
        release::{Decision, HeldGroup, decide},
    },
    store::{AttemptOutcome, Claim, ClaimTerms, DeliveryFilter, NewNotification, Store},
};

use super::fixture::*;

pub(super) const SILENCE: HoldReason = HoldReason::Silence;

/// A notification of the alert by rule `low`; `F1` is the firing that began at second 1; `W1`, `R1`, `E1` (its first escalation), `U1` (it is
/// unstable) and `O1` follow it.
pub(super) fn says(word: &str, number: u32, until: Option<i64>) -> NewNotification {
    of_rule("low", word, number, until)
}

pub(super) fn of_rule(rule: &str, word: &str, number: u32, until: Option<i64>) -> NewNotification {
    let (said, firing) = word.split_at(1);
    let mut new = new_notification(&format!("{rule}-{word}-{number}"), Some(key("contoso", rule)), &["soc"]);
    let (kind, is_over) = match said {
        "F" => (NotificationType::AlertFiring, false),
        "W" => (NotificationType::AlertWorsened, false),
        "R" => (NotificationType::AlertReminder, false),
        "U" => (NotificationType::AlertUnstable, false),
        "E" => (NotificationType::AlertEscalated, false),
        _ => (NotificationType::AlertResolved, true),
    };
    new.notification.kind = kind;
    new.notification.data.notification.sequence = number.into();
    new.notification.data.alert = Some(AlertFacts {
        id: format!("alert_{rule}"),
        state: if is_over { "resolved" } else { "firing" }.to_owned(),
        severity: Severity::Warning,
        started_at: at(firing.parse().unwrap()),
        resolved_at: is_over.then(|| at(0)),
        reason: None,
        remark: None,
        escalation: (said == "E").then_some(EscalationFacts {
            unacknowledged_since: at(0),
            after_seconds: 60,
            step: 1,
        }),
        resolution: None,
        resolved_by: None,
    });
    new.hold = until.map(|until| Hold { why: SILENCE, until: at(until) });
    new
}

pub(super) async fn announce(store: &dyn Store, new: NewNotification) {
    assert!(store.announce(new, at(0)).await.unwrap());
}

/// States of all deliveries, oldest first.
pub(super) async fn states(store: &dyn Store) -> Vec<&'static str> {
    let mut rows = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    rows.reverse();
    rows.iter().map(|row| row.state.as_str()).collect()
}

pub(super) async fn asked(store: &dyn Store, merge_over: Option<usize>, seconds: i64) -> Claim {
    let terms = ClaimTerms { merge_over, ..ClaimTerms::default() };
    store.claim(&channel("soc"), terms, at(seconds)).await.unwrap()
}

pub(super) async fn due(store: &dyn Store, seconds: i64) -> Vec<HeldGroup> {
    store.held_due(at(seconds), 200).await.unwrap()
}

pub(super) fn ids(run: &HeldGroup) -> Vec<DeliveryId> {
    run.steps.iter().map(|step| step.delivery).collect()
}

async fn what_is_held_is_not_taken_nor_what_waits_behind_it_and_others_pass() {
    for merge_over in [None, Some(20), Some(0)] {
        let fixture = Fixture::new().await;
        let store = &*fixture.store;
        announce(store, says("F1", 1, Some(100))).await;
        announce(store, says("W1", 2, None)).await;
        announce(store, says("W1", 3, None)).await;
        assert_eq!(asked(store, merge_over, 0).await, Claim::Idle);
        assert_eq!(asked(store, merge_over, 1000).await, Claim::Idle, "time alone sends nothing");
        announce(store, of_rule("other", "F1", 1, None)).await;
        let Claim::Send(other) = asked(store, merge_over, 0).await else { panic!("{merge_over:?}") };
        assert_eq!(other.notification.data.facts.alert.unwrap().id, "alert_other");
        assert_eq!(states(store).await, ["held", "queued", "queued", "sending"], "{merge_over:?}");
    }
}

async fn what_was_tried_before_is_not_merged_with_what_waits_behind_a_held_one() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    announce(store, says("F1", 1, None)).await;
    let first = claim(store, "soc", 0).await;
    let retry = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(5), may_have_arrived: false };
    store.settle(first.id, 1, retry, None, at(1)).await.unwrap();
    announce(store, says("W1", 2, Some(100))).await;
    announce(store, says("O1", 3, None)).await;
    let Claim::Send(again) = asked(store, Some(20), 10).await else { panic!() };
    assert_eq!(again.id, first.id);
    assert_eq!(states(store).await, ["sending", "held", "queued"]);
}

async fn what_was_released_is_taken_by_a_digest_only_along_with_what_comes_before_it() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    announce(store, says("F1", 1, None)).await;
    announce(store, says("W1", 2, Some(100))).await;
    announce(store, says("O1", 3, None)).await;
    announce(store, of_rule("other", "F1", 1, None)).await;
    let run = &due(store, 100).await[0];
    assert!(run.was_notified, "by what is queued");
    store.release(vec![decide(run, false, None)], at(100)).await.unwrap();
    assert_eq!(states(store).await, ["queued", "merged", "queued", "queued"]);
    let Claim::Send(digest) = asked(store, Some(1), 101).await else { panic!() };
    let items = digest.notification.data.items.iter();
    let said: Vec<_> = items.map(|item| (item.kind, item.notification.covers.len())).collect();
    assert_eq!(said, [(NotificationType::AlertFiring, 0), (NotificationType::AlertResolved, 2)]);
    assert_eq!(states(store).await, ["merged", "merged", "merged", "merged", "sending"]);
}

async fn a_channel_with_nothing_but_held_deliveries_is_not_busy_and_has_no_backlog() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    announce(store, says("F1", 1, Some(100))).await;
    assert!(store.busy_channels().await.unwrap().is_empty());
    let totals = store.totals().await.unwrap();
    assert_eq!(totals.deliveries, [(channel("soc"), DeliveryState::Held, 1)]);
    assert!(totals.oldest_queued_at.is_empty());
    let held = DeliveryFilter { states: vec![DeliveryState::Held], ..DeliveryFilter::default() };
    let rows = store.deliveries(&held).await.unwrap();
    assert_eq!(rows[0].hold, Some(Hold { why: SILENCE, until: at(100) }));
    assert!(!store.unpark(&channel("soc"), by_ann(at(1))).await.unwrap());
}

async fn a_run_is_all_that_waits_from_the_first_held_one_once_any_of_it_is_due() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    announce(store, of_rule("other", "F1", 1, Some(20))).await;
    announce(store, says("F1", 1, Some(90))).await;
    announce(store, says("W1", 2, Some(30))).await;
    announce(store, says("O1", 3, None)).await;
    assert!(due(store, 19).await.is_empty());
    let runs = due(store, 20).await;
    assert_eq!((runs.len(), runs[0].steps.len()), (1, 1));
    let runs = due(store, 30).await;
    assert_eq!(runs.len(), 2);
    let run = runs.iter().find(|run| run.steps.len() == 3).unwrap();
    assert_eq!(
        (run.channel.as_str(), run.steps[0].hold.map(|hold| hold.why), run.was_notified),
        ("soc", Some(SILENCE), false)
    );
    assert_eq!(run.newest, says("O1", 3, None).notification);
    let said: Vec<_> =
        run.steps.iter().map(|step| (step.kind, step.began, step.is_over, step.hold.is_some())).collect();
    assert_eq!(
        said,
        [
            (NotificationType::AlertFiring, Some(at(1)), false, true),
            (NotificationType::AlertWorsened, Some(at(1)), false, true),
            (NotificationType::AlertResolved, Some(at(1)), true, false),
        ]
    );
    store.look_again(HoldReason::Fleet, at(5)).await.unwrap();
    assert!(due(store, 19).await.is_empty(), "another reason");
    store.look_again(SILENCE, at(5)).await.unwrap();
    assert_eq!(due(store, 5).await.len(), 2, "what held it may be gone");
}

async fn a_held_group_knows_whether_its_channel_was_notified_of_the_same_firing() {
    // What came before, and what became of it; what is held; whether that was reported before.
    for (before, fate, held, was_notified) in [
        ("F1", "delivered", "O1", true),
        ("F1", "dead", "O1", true),
        ("F1", "queued", "O1", true),
        ("F1", "sending", "O1", true),
        ("F1", "suppressed", "O1", false),
        ("F1", "delivered", "F2", false),
        ("O1", "delivered", "F2", false),
    ] {
        let fixture = Fixture::new().await;
        let store = &*fixture.store;
        let hold = (fate == "suppressed").then_some(1);
        announce(store, says(before, 1, hold)).await;
        match fate {
            "delivered" | "dead" | "sending" => {
                let claimed = claim(store, "soc", 0).await;
                let outcome = match fate {
                    "delivered" => Some(AttemptOutcome::Delivered),
                    "dead" => Some(AttemptOutcome::Dead { error: "400".into() }),
                    _ => None,
                };
                if let Some(outcome) = outcome {
                    store.settle(claimed.id, 1, outcome, None, at(0)).await.unwrap();
                }
            }
            "suppressed" => {
                let id = due(store, 1).await[0].steps[0].delivery;
                assert_eq!(store.release(vec![vec![(id, Decision::Suppress)]], at(1)).await.unwrap(), 1);
            }
            _ => {}
        }
        announce(store, of_rule("other", "F1", 9, None)).await;
        announce(store, says(held, 2, Some(50))).await;
        assert_eq!(due(store, 50).await[0].was_notified, was_notified, "{before} {fate}, then {held}");
    }
}

async fn each_delivery_of_a_run_has_its_fate_and_what_is_sent_speaks_for_what_it_carries() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for (word, number) in [("F1", 1), ("O1", 2), ("F3", 3), ("W3", 4)] {
        announce(store, says(word, number, Some(50))).await;
    }
    let run = due(store, 50).await.remove(0);
    let [a, b, c, d] = ids(&run)[..] else { panic!() };
    let fates = vec![(a, Decision::Suppress), (b, Decision::Suppress), (c, Decision::Merged(d)), (d, Decision::Send)];
    assert_eq!(store.release(vec![fates], at(60)).await.unwrap(), 1);
    assert_eq!(states(store).await, ["suppressed", "suppressed", "merged", "queued"]);
    assert!(due(store, 1000).await.is_empty());
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let sent = claim(store, "soc", 61).await;
    assert_eq!((sent.id, sent.queued_at), (d, at(60)), "giving up counts from the release");
    assert_eq!(
        sent.notification.data.notification.covers,
        [says("F3", 3, None).notification.data.facts.notification.id]
    );
    store.settle(sent.id, 1, AttemptOutcome::Delivered, None, at(62)).await.unwrap();
    assert_eq!(states(store).await, ["suppressed", "suppressed", "delivered", "delivered"]);
    let suppressed = store.delivery(a).await.unwrap().unwrap().delivery;
    assert_eq!((suppressed.finished_at, suppressed.hold), (Some(at(60)), None));
    assert_eq!(store.totals().await.unwrap().deliveries, [(channel("soc"), DeliveryState::Suppressed, 2)]);
}

async fn what_is_held_further_is_reviewed_at_its_new_time() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    announce(store, says("F1", 1, Some(50))).await;
    announce(store, says("W1", 2, None)).await;
    let run = due(store, 50).await.remove(0);
    let hold = Hold { why: SILENCE, until: at(80) };
    let fates = ids(&run).into_iter().map(|id| (id, Decision::Hold(hold))).collect();
    store.release(vec![fates], at(50)).await.unwrap();
    assert_eq!(states(store).await, ["held", "held"]);
    assert!(due(store, 79).await.is_empty());
    assert_eq!(due(store, 80).await[0].steps.len(), 2);
}

async fn a_held_group_that_has_changed_since_its_review_is_left_alone() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    announce(store, says("F1", 1, Some(50))).await;
    announce(store, of_rule("other", "F1", 1, Some(50))).await;
    let runs = due(store, 50).await;
    let decided = || runs.iter().map(|run| ids(run).into_iter().map(|id| (id, Decision::Send)).collect()).collect();
    announce(store, says("O1", 2, Some(90))).await;
    assert_eq!(store.release(decided(), at(51)).await.unwrap(), 1, "the other alone");
    assert_eq!(states(store).await, ["held", "queued", "held"]);
    assert_eq!(due(store, 51).await[0].steps.len(), 2, "it is looked at again");
    claim(store, "soc", 52).await;
    assert_eq!(store.release(decided(), at(53)).await.unwrap(), 0, "what is under way is not touched");
    assert_eq!(states(store).await, ["held", "sending", "held"]);
}

async fn a_suppressed_delivery_is_final_and_a_held_one_is_not() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("low", firing(1, 1))];
    outcome.notifications = vec![says("F1", 1, Some(50))];
    commit(store, outcome).await;
    let notified = async || load(store, "contoso").await.alerts[0].notified_at;
    assert_eq!(notified().await, None);
    let run = due(store, 50).await.remove(0);
    store.release(vec![vec![(ids(&run)[0], Decision::Suppress)]], at(55)).await.unwrap();
    assert_eq!(notified().await, Some(at(55)));
}

async fn what_is_held_or_suppressed_is_sent_on_request() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    announce(store, says("F1", 1, Some(50))).await;
    let id = ids(&due(store, 50).await[0])[0];
    store.release(vec![vec![(id, Decision::Suppress)]], at(50)).await.unwrap();
    announce(store, says("F2", 2, Some(90))).await;
    assert!(store.resend(id, by_ann(at(60))).await.unwrap());
    let sent = claim(store, "soc", 60).await;
    assert_eq!((sent.id, sent.queued_at), (id, at(60)));
    store.settle(id, 1, AttemptOutcome::Delivered, None, at(61)).await.unwrap();
    let held = ids(&due(store, 90).await[0])[0];
    assert!(store.resend(held, by_ann(at(62))).await.unwrap());
    assert!(due(store, 90).await.is_empty());
    assert_eq!(claim(store, "soc", 62).await.id, held);
}

async fn many_held_groups_are_reviewed_in_parts_until_none_is_left() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for number in 0..450 {
        announce(store, of_rule(&format!("r{number}"), "F1", 1, Some(50))).await;
    }
    let mut rounds = 0;
    loop {
        let runs = due(store, 50).await;
        if runs.is_empty() {
            break;
        }
        rounds += 1;
        let count = runs.len() as u64;
        let decided = runs.iter().map(|run| vec![(ids(run)[0], Decision::Send)]).collect();
        assert_eq!(store.release(decided, at(50)).await.unwrap(), count);
    }
    assert!(rounds > 1);
    assert!(states(store).await.iter().all(|state| *state == "queued"));
}

on_both! {
    what_is_held_is_not_taken_nor_what_waits_behind_it_and_others_pass,
    what_was_tried_before_is_not_merged_with_what_waits_behind_a_held_one,
    what_was_released_is_taken_by_a_digest_only_along_with_what_comes_before_it,
    a_channel_with_nothing_but_held_deliveries_is_not_busy_and_has_no_backlog,
    a_run_is_all_that_waits_from_the_first_held_one_once_any_of_it_is_due,
    a_held_group_knows_whether_its_channel_was_notified_of_the_same_firing,
    each_delivery_of_a_run_has_its_fate_and_what_is_sent_speaks_for_what_it_carries,
    what_is_held_further_is_reviewed_at_its_new_time,
    a_held_group_that_has_changed_since_its_review_is_left_alone,
    a_suppressed_delivery_is_final_and_a_held_one_is_not,
    what_is_held_or_suppressed_is_sent_on_request,
    many_held_groups_are_reviewed_in_parts_until_none_is_left,
}
