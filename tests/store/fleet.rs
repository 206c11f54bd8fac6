//! Fleet shifts: noted once, told once and whole, explained until something new is told, and forgotten with retention.

use std::time::Duration;

use scorewatch::{
    domain::{ScoreKind, Severity, Timestamp},
    notify::{
        DeliveryId, Hold, HoldReason, NotificationType,
        fleet::{Scope, Shift, Span, notice::Others},
        notification::AlertFacts,
        release::{Fate, Run},
    },
    store::{AttemptOutcome, DeliveryFilter, KnownShift, NewNotification, ShiftMember, ShiftNotice, Store},
};

use super::fixture::*;

const FLEET: HoldReason = HoldReason::Fleet;

pub(super) fn known(id: &str, seen: i64) -> KnownShift {
    let shift = Shift {
        scope: Scope { score: ScoreKind::DeviceSecureScore, category: None },
        span: Span { from: at(seen - 10), until: at(seen + 10) },
        median: -6.0,
        tolerance: 1.0,
        moved: 20,
        read: 30,
    };
    KnownShift { id: id.to_owned(), shift, seen_at: at(seen), tell_at: at(seen + 20), told_at: None }
}

/// What is told of an alert of that tenant by rule `low`, to one channel.
fn says(tenant: &str, channel: &str, kind: NotificationType, until: Option<i64>) -> NewNotification {
    let mut new = to_tell(&format!("{tenant}-{channel}-{kind:?}"), Some(key(tenant, "low")), &[channel]);
    new.notification.kind = kind;
    let is_over = kind == NotificationType::AlertResolved;
    new.notification.data.alert = Some(AlertFacts {
        id: format!("alert_{tenant}"),
        state: if is_over { "resolved" } else { "firing" }.to_owned(),
        severity: Severity::Warning,
        started_at: at(1),
        resolved_at: is_over.then(|| at(2)),
        reason: None,
        resolution: None,
    });
    new.hold = until.map(|until| Hold { why: FLEET, until: at(until) });
    new
}

/// A check after which the tenant's alert fires, and that is held for the fleet.
pub(super) async fn fires(store: &dyn Store, tenant: &str, channel: &str, until: i64) {
    let mut outcome = check(tenant, None, 0);
    outcome.alerts = vec![update("low", firing(1, 1))];
    outcome.notifications = vec![says(tenant, channel, NotificationType::AlertFiring, Some(until))];
    commit(store, outcome).await;
}

pub(super) async fn is_explained(store: &dyn Store, tenant: &str) -> bool {
    load(store, tenant).await.alerts[0].explained
}

pub(super) fn notice(of: &str, runs: &[&Run]) -> ShiftNotice {
    let member = |run: &&Run| ShiftMember {
        earlier: Vec::new(),
        run: run.steps.iter().map(|step| step.delivery).collect(),
        item: run.newest.clone().into(),
    };
    ShiftNotice { channel: channel(of), members: runs.iter().map(member).collect(), others: Others::default() }
}

/// Channel and state of every delivery, oldest first.
pub(super) async fn states(store: &dyn Store) -> Vec<(String, &'static str)> {
    let mut rows = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    rows.reverse();
    rows.iter().map(|row| (row.channel.to_string(), row.state.as_str())).collect()
}

pub(super) fn of(state: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    state.iter().map(|(channel, state)| ((*channel).to_owned(), *state)).collect()
}

pub(super) async fn due(store: &dyn Store, seconds: i64) -> Vec<Run> {
    store.held_due(at(seconds), 200).await.unwrap()
}

#[tokio::test]
async fn a_shift_is_kept_as_it_was_first_noted_and_listed_from_an_instant_on() {
    let bed = Bed::new().await;
    for shift in [known("b", 40), known("a", 40), known("old", 10)] {
        bed.store.note_shift(shift).await.unwrap();
    }
    bed.store.note_shift(known("old", 99)).await.unwrap();
    let bed = bed.reopen().await;
    let listed = bed.store.shifts(at(9)).await.unwrap();
    assert_eq!(listed, [known("old", 10), known("a", 40), known("b", 40)], "whole, and oldest first");
    assert_eq!(bed.store.shifts(at(10)).await.unwrap().len(), 2, "after that instant, not at it");
}

#[tokio::test]
async fn a_shift_is_told_once_and_its_members_fare_as_their_notice() {
    for (outcome, fared) in
        [(AttemptOutcome::Delivered, "delivered"), (AttemptOutcome::Dead { error: "400".into() }, "dead")]
    {
        let bed = Bed::new().await;
        let store = &*bed.store;
        for (tenant, channel) in [("t1", "soc"), ("t2", "soc"), ("t3", "own")] {
            fires(store, tenant, channel, 50).await;
        }
        store.note_shift(known("shift", 10)).await.unwrap();
        let runs = due(store, 50).await;
        let own: Vec<&Run> = runs.iter().filter(|run| run.channel == channel("own")).collect();
        let soc: Vec<&Run> = runs.iter().filter(|run| run.channel == channel("soc")).collect();
        let notices = || vec![notice("soc", &soc), notice("own", &own)];
        assert!(!store.tell_shift(known("unknown", 10), notices(), at(59)).await.unwrap(), "never noted");
        assert!(store.tell_shift(known("shift", 10), notices(), at(60)).await.unwrap());
        let told = [("soc", "carried"), ("soc", "carried"), ("own", "carried"), ("soc", "queued"), ("own", "queued")];
        assert_eq!(states(store).await, of(&told));
        assert!(!store.tell_shift(known("shift", 10), notices(), at(61)).await.unwrap(), "told before");
        assert_eq!(states(store).await, of(&told), "which changes nothing");
        assert_eq!(store.shifts(Timestamp::EPOCH).await.unwrap()[0].told_at, Some(at(60)));
        assert!(due(store, 1000).await.is_empty());

        let bed = bed.reopen().await;
        let store = &*bed.store;
        let sent = claim(store, "soc", 62).await;
        assert_eq!(sent.notification.kind, NotificationType::FleetShift);
        store.settle(sent.id, 1, outcome, None, at(63)).await.unwrap();
        let fare = [("soc", fared), ("soc", fared), ("own", "carried"), ("soc", fared), ("own", "queued")];
        assert_eq!(states(store).await, of(&fare));
        for (tenant, told_at) in [("t1", Some(at(63))), ("t2", Some(at(63))), ("t3", None)] {
            let alert = load(store, tenant).await.alerts.remove(0);
            assert_eq!((alert.explained, alert.told_at), (true, told_at), "{tenant}");
        }
    }
}

#[tokio::test]
async fn a_run_that_was_added_to_since_it_was_looked_at_does_not_go_along_nor_is_spoken_of() {
    let bed = Bed::new().await;
    let store = &*bed.store;
    fires(store, "t1", "soc", 50).await;
    fires(store, "t2", "soc", 50).await;
    store.note_shift(known("shift", 10)).await.unwrap();
    let runs = due(store, 50).await;
    let worsened = says("t1", "soc", NotificationType::AlertWorsened, Some(90));
    assert!(store.announce(worsened, at(55)).await.unwrap());
    let notices = vec![notice("soc", &[&runs[0], &runs[1]])];
    assert!(store.tell_shift(known("shift", 10), notices, at(60)).await.unwrap());
    let left = [("soc", "held"), ("soc", "carried"), ("soc", "held"), ("soc", "queued")];
    assert_eq!(states(store).await, of(&left));
    assert!(!is_explained(store, "t1").await);
    assert!(is_explained(store, "t2").await);
    assert_eq!(due(store, 60).await[0].steps.len(), 2, "it is looked at again");
    let said = claim(store, "soc", 62).await.notification.data;
    let alerts: Vec<_> = said.items.iter().filter_map(|item| Some(item.alert.as_ref()?.id.as_str())).collect();
    assert_eq!((alerts, said.fleet.map(|fleet| fleet.alerts)), (vec!["alert_t2"], Some(1)));
}

#[tokio::test]
async fn what_waits_of_an_earlier_firing_has_a_fate_of_its_own() {
    let bed = Bed::new().await;
    let store = &*bed.store;
    fires(store, "t1", "soc", 50).await;
    let resolved = says("t1", "soc", NotificationType::AlertResolved, None);
    assert!(store.announce(resolved, at(20)).await.unwrap());
    let worsened = says("t1", "soc", NotificationType::AlertWorsened, Some(60));
    assert!(store.announce(worsened, at(30)).await.unwrap());
    store.note_shift(known("shift", 10)).await.unwrap();
    let runs = due(store, 60).await;
    let mut notice = notice("soc", &[&runs[0]]);
    let newest = notice.members[0].run.split_off(2);
    let earlier = std::mem::replace(&mut notice.members[0].run, newest);
    notice.members[0].earlier = vec![(earlier[0], Fate::Withhold), (earlier[1], Fate::Send)];
    assert!(store.tell_shift(known("shift", 10), vec![notice], at(60)).await.unwrap());
    let fared = [("soc", "withheld"), ("soc", "queued"), ("soc", "carried"), ("soc", "queued")];
    assert_eq!(states(store).await, of(&fared));
    assert!(claim(store, "soc", 61).await.notification.kind == NotificationType::AlertResolved, "the end goes first");
}

#[tokio::test]
async fn a_notice_says_all_that_it_stands_for() {
    let bed = Bed::new().await;
    let store = &*bed.store;
    fires(store, "t1", "soc", 50).await;
    assert!(store.announce(says("t1", "soc", NotificationType::AlertWorsened, Some(60)), at(20)).await.unwrap());
    store.note_shift(known("shift", 10)).await.unwrap();
    let runs = due(store, 60).await;
    let first = notification("t1-soc-AlertFiring").data.notification.id;
    assert!(store.tell_shift(known("shift", 10), vec![notice("soc", &[&runs[0]])], at(60)).await.unwrap());
    let items = claim(store, "soc", 61).await.notification.data.items;
    assert_eq!((items.len(), &items[0].notification.stands_for), (1, &vec![first]));
}

#[tokio::test]
async fn a_channel_that_had_nothing_to_hear_of_a_shift_hears_of_it_with_its_first_late_tenant() {
    let bed = Bed::new().await;
    let store = &*bed.store;
    fires(store, "t1", "soc", 50).await;
    store.note_shift(known("shift", 10)).await.unwrap();
    let first = due(store, 50).await;
    assert!(store.tell_shift(known("shift", 10), vec![notice("soc", &[&first[0]])], at(60)).await.unwrap());
    fires(store, "t2", "own", 70).await;
    fires(store, "t3", "soc", 70).await;
    let late = due(store, 70).await;
    let both = || vec![notice("own", &[&late[0]]), notice("soc", &[&late[1]])];
    assert!(store.tell_shift(known("shift", 10), both(), at(70)).await.unwrap());
    let told = [("soc", "carried"), ("soc", "queued"), ("own", "carried"), ("soc", "held"), ("own", "queued")];
    assert_eq!(states(store).await, of(&told), "and whoever has heard of it hears no more");
    assert_eq!(store.shifts(Timestamp::EPOCH).await.unwrap()[0].told_at, Some(at(60)));
    assert!(!store.tell_shift(known("shift", 10), both(), at(71)).await.unwrap());
}

#[tokio::test]
async fn what_a_told_shift_explains_comes_to_rest_without_a_word() {
    let bed = Bed::new().await;
    let store = &*bed.store;
    fires(store, "t1", "soc", 50).await;
    let id = due(store, 50).await[0].steps[0].delivery;
    assert_eq!(store.release(vec![vec![(id, Fate::Explain)]], at(60)).await.unwrap(), 1);
    assert_eq!(states(store).await, of(&[("soc", "withheld")]));
    let alert = load(store, "t1").await.alerts.remove(0);
    assert_eq!((alert.explained, alert.told_at), (true, Some(at(60))));
    assert!(store.busy_channels().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_explained_stays_so_until_something_new_is_told_of_it() {
    use NotificationType as Type;
    for (kind, hold, survives) in [
        (Type::AlertReminder, None, true),
        (Type::AlertResolved, None, true),
        (Type::AlertWorsened, None, false),
        (Type::AlertFiring, None, false),
        // It may be over before it is told.
        (Type::AlertWorsened, Some(90), true),
        (Type::AlertFiring, Some(90), false),
    ] {
        let bed = Bed::new().await;
        let store = &*bed.store;
        fires(store, "t1", "soc", 50).await;
        let id = due(store, 50).await[0].steps[0].delivery;
        store.release(vec![vec![(id, Fate::Explain)]], at(60)).await.unwrap();
        let mut outcome = check("t1", Some(1), 70);
        outcome.alerts = vec![update("low", firing(1, 2))];
        commit(store, outcome).await;
        assert!(is_explained(store, "t1").await, "a check changes nothing");
        let mut outcome = check("t1", Some(2), 80);
        let mut new = says("t1", "soc", kind, hold);
        new.notification.data.notification.id = notification("newer").data.notification.id;
        outcome.notifications = vec![new];
        commit(store, outcome).await;
        let bed = bed.reopen().await;
        let store = &*bed.store;
        assert_eq!(is_explained(store, "t1").await, survives, "{kind:?} {hold:?}");
        // What is told after all is no longer what a shift explains.
        for run in due(store, 90).await {
            assert_eq!(store.release(vec![vec![(run.steps[0].delivery, Fate::Send)]], at(90)).await.unwrap(), 1);
            assert!(!is_explained(store, "t1").await, "{kind:?} {hold:?}");
        }
    }
}

#[tokio::test]
async fn no_more_runs_are_looked_at_than_asked_for_and_the_oldest_come_first() {
    let bed = Bed::new().await;
    let store = &*bed.store;
    for tenant in ["t1", "t2", "t3"] {
        fires(store, tenant, "soc", 50).await;
    }
    let ids = async |at_most: usize| -> Vec<DeliveryId> {
        let runs = store.held_due(at(50), at_most).await.unwrap();
        runs.iter().map(|run| run.steps[0].delivery).collect()
    };
    let all = ids(usize::MAX).await;
    assert_eq!(all.len(), 3);
    assert!(all.is_sorted());
    for at_most in 0..3 {
        assert_eq!(ids(at_most).await, all[..at_most]);
    }
}

#[tokio::test]
async fn shifts_are_kept_for_retention_and_no_longer() {
    let bed = Bed::new().await;
    let store = &*bed.store;
    for (id, seen) in [("told", 10), ("forgotten", 20), ("kept", 900)] {
        store.note_shift(known(id, seen)).await.unwrap();
    }
    for id in ["told", "kept"] {
        assert!(store.tell_shift(known(id, 0), Vec::new(), at(950)).await.unwrap());
    }
    while store.prune(at(1000), Duration::from_secs(920)).await.unwrap() {}
    let left = store.shifts(Timestamp::EPOCH).await.unwrap();
    assert_eq!(left.iter().map(|known| known.id.as_str()).collect::<Vec<_>>(), ["kept"]);
}
