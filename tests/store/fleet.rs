//! Fleet shifts: noted once, queued whole, covering their alerts as any notification does, and forgotten with retention.

use std::time::Duration;

use scorewatch::{
    domain::{ScoreKind, Severity, Timestamp},
    notify::{
        DeliveryId, Hold, HoldReason, NotificationType,
        fleet::{
            Attributed, Decidable, Movement, Scope, Shift, Span,
            group::Occasion,
            notice::{Covered, Others},
        },
        notification::AlertFacts,
        release::{Decision, HeldGroup},
    },
    rule::{Amount, ShiftedBy},
    store::{
        AlertFilter, AttemptOutcome, Claim, ClaimTerms, DeliveryFilter, KnownShift, NewNotification, Owed, ShiftMember,
        ShiftNotice, Store,
    },
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
    KnownShift { id: id.to_owned(), shift, seen_at: at(seen), notified_at: None }
}

/// A notification about an alert of that tenant by rule `low`, to one channel.
pub(super) fn says(tenant: &str, channel: &str, kind: NotificationType, until: Option<i64>) -> NewNotification {
    let mut new = new_notification(&format!("{tenant}-{channel}-{kind:?}"), Some(key(tenant, "low")), &[channel]);
    new.notification.kind = kind;
    let is_over = kind == NotificationType::AlertResolved;
    new.notification.data.alert = Some(AlertFacts {
        id: format!("alert_{tenant}"),
        state: if is_over { "resolved" } else { "firing" }.to_owned(),
        severity: Severity::Warning,
        started_at: at(1),
        resolved_at: is_over.then(|| at(2)),
        reason: None,
        remark: None,
        escalation: None,
        resolution: None,
        resolved_by: None,
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

/// The shift whose notice covered the tenant's alert.
pub(super) async fn covered_by(store: &dyn Store, tenant: &str) -> Option<String> {
    load(store, tenant).await.alerts[0].shift.clone()
}

pub(super) async fn note(store: &dyn Store, shift: KnownShift) {
    store.note_shifts(vec![shift], Vec::new()).await.unwrap();
}

pub(super) fn notice(of: &str, runs: &[&HeldGroup]) -> ShiftNotice {
    let member = |run: &&HeldGroup| ShiftMember {
        earlier: Vec::new(),
        run: run.steps.iter().map(|step| step.delivery).collect(),
        covered: Covered { tenant: run.envelope.tenant.clone(), notification: run.newest.clone(), is_accepted: false },
    };
    ShiftNotice {
        channel: channel(of),
        occasion: Occasion::Shift,
        members: runs.iter().map(member).collect(),
        others: Others::default(),
        notified_before: Vec::new(),
    }
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

pub(super) async fn due(store: &dyn Store, seconds: i64) -> Vec<HeldGroup> {
    store.held_due(at(seconds), 200).await.unwrap()
}

async fn a_shift_is_kept_as_it_was_first_noted_and_listed_from_an_instant_on() {
    let fixture = Fixture::new().await;
    for shift in [known("b", 40), known("a", 40), known("old", 10)] {
        note(&*fixture.store, shift).await;
    }
    note(&*fixture.store, known("old", 99)).await;
    let fixture = fixture.reopen().await;
    let listed = fixture.store.shifts(at(9)).await.unwrap();
    assert_eq!(listed, [known("old", 10), known("a", 40), known("b", 40)], "whole, and oldest first");
    assert_eq!(fixture.store.shifts(at(10)).await.unwrap().len(), 2, "after that instant, not at it");
}

async fn a_notice_is_queued_once_and_what_it_covers_fares_as_it_does() {
    for (outcome, fared) in
        [(AttemptOutcome::Delivered, "delivered"), (AttemptOutcome::Dead { error: "400".into() }, "dead")]
    {
        let fixture = Fixture::new().await;
        let store = &*fixture.store;
        for (tenant, channel) in [("t1", "soc"), ("t2", "soc"), ("t3", "own")] {
            fires(store, tenant, channel, 50).await;
        }
        note(store, known("shift", 10)).await;
        let runs = due(store, 50).await;
        let own: Vec<&HeldGroup> = runs.iter().filter(|run| run.channel == channel("own")).collect();
        let soc: Vec<&HeldGroup> = runs.iter().filter(|run| run.channel == channel("soc")).collect();
        let notices = || vec![notice("soc", &soc), notice("own", &own)];
        assert!(!store.notify_shift(known("unknown", 10), notices(), at(59)).await.unwrap(), "never noted");
        assert!(store.notify_shift(known("shift", 10), notices(), at(60)).await.unwrap());
        let expected = [("soc", "merged"), ("soc", "merged"), ("own", "merged"), ("soc", "queued"), ("own", "queued")];
        assert_eq!(states(store).await, of(&expected));
        let alert = load(store, "t1").await.alerts.remove(0);
        assert_eq!(alert.sendable_since, Some(at(60)), "with the notice, not when it was held");
        assert!(
            !store.notify_shift(known("shift", 10), notices(), at(61)).await.unwrap(),
            "nothing of it waits any more"
        );
        assert_eq!(states(store).await, of(&expected), "which changes nothing");
        assert_eq!(store.shifts(Timestamp::EPOCH).await.unwrap()[0].notified_at, Some(at(60)));
        assert!(due(store, 1000).await.is_empty());

        let fixture = fixture.reopen().await;
        let store = &*fixture.store;
        let sent = claim(store, "soc", 62).await;
        assert_eq!(sent.notification.kind, NotificationType::FleetShift);
        store.settle(sent.id, 1, outcome, None, at(63)).await.unwrap();
        let fare = [("soc", fared), ("soc", fared), ("own", "merged"), ("soc", fared), ("own", "queued")];
        assert_eq!(states(store).await, of(&fare));
        for (tenant, notified_at) in [("t1", Some(at(63))), ("t2", Some(at(63))), ("t3", None)] {
            let alert = load(store, tenant).await.alerts.remove(0);
            assert_eq!((alert.shift.as_deref(), alert.notified_at), (Some("shift"), notified_at), "{tenant}");
        }
    }
}

async fn a_held_group_that_grew_since_its_review_is_neither_merged_nor_covered() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    fires(store, "t1", "soc", 50).await;
    fires(store, "t2", "soc", 50).await;
    note(store, known("shift", 10)).await;
    let runs = due(store, 50).await;
    let worsened = says("t1", "soc", NotificationType::AlertWorsened, Some(90));
    assert!(store.announce(worsened, at(55)).await.unwrap());
    let notices = vec![notice("soc", &[&runs[0], &runs[1]])];
    assert!(store.notify_shift(known("shift", 10), notices, at(60)).await.unwrap());
    let left = [("soc", "held"), ("soc", "merged"), ("soc", "held"), ("soc", "queued")];
    assert_eq!(states(store).await, of(&left));
    assert_eq!(covered_by(store, "t1").await, None);
    assert_eq!(covered_by(store, "t2").await.as_deref(), Some("shift"));
    assert_eq!(due(store, 60).await[0].steps.len(), 2, "it is looked at again");
    let said = claim(store, "soc", 62).await.notification.data;
    let alerts: Vec<_> = said.items.iter().filter_map(|item| Some(item.alert.as_ref()?.id.as_str())).collect();
    assert_eq!((alerts, said.fleet.map(|fleet| fleet.alerts)), (vec!["alert_t2"], Some(1)));
}

async fn what_waits_of_an_earlier_firing_has_a_fate_of_its_own() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    fires(store, "t1", "soc", 50).await;
    let resolved = says("t1", "soc", NotificationType::AlertResolved, None);
    assert!(store.announce(resolved, at(20)).await.unwrap());
    let worsened = says("t1", "soc", NotificationType::AlertWorsened, Some(60));
    assert!(store.announce(worsened, at(30)).await.unwrap());
    note(store, known("shift", 10)).await;
    let runs = due(store, 60).await;
    let mut notice = notice("soc", &[&runs[0]]);
    let newest = notice.members[0].run.split_off(2);
    let earlier = std::mem::replace(&mut notice.members[0].run, newest);
    notice.members[0].earlier = vec![(earlier[0], Decision::Suppress), (earlier[1], Decision::Send)];
    assert!(store.notify_shift(known("shift", 10), vec![notice], at(60)).await.unwrap());
    let fared = [("soc", "suppressed"), ("soc", "queued"), ("soc", "merged"), ("soc", "queued")];
    assert_eq!(states(store).await, of(&fared));
    let end = claim(store, "soc", 61).await;
    assert_eq!(end.notification.kind, NotificationType::AlertResolved, "the end goes first");
    let retry = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(100), may_have_arrived: false };
    store.settle(end.id, 1, retry, None, at(62)).await.unwrap();
    let terms = |minutes| ClaimTerms { longest_cooldown: Duration::from_mins(minutes), ..ClaimTerms::default() };
    let waits = store.claim(&channel("soc"), terms(60), at(63)).await.unwrap();
    assert_eq!(waits, Claim::Wait(at(100)), "and the notice waits for it");
    let Claim::Send(sent) = store.claim(&channel("soc"), terms(1), at(60 + 60)).await.unwrap() else { panic!() };
    assert_eq!(sent.id, end.id, "the end is due");
    store.settle(end.id, 2, AttemptOutcome::Delivered, None, at(121)).await.unwrap();
    assert_eq!(claim(store, "soc", 122).await.notification.kind, NotificationType::FleetShift);
}

async fn a_notice_says_all_that_it_covers() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    fires(store, "t1", "soc", 50).await;
    assert!(store.announce(says("t1", "soc", NotificationType::AlertWorsened, Some(60)), at(20)).await.unwrap());
    note(store, known("shift", 10)).await;
    let runs = due(store, 60).await;
    let first = notification("t1-soc-AlertFiring").data.facts.notification.id;
    assert!(store.notify_shift(known("shift", 10), vec![notice("soc", &[&runs[0]])], at(60)).await.unwrap());
    let items = claim(store, "soc", 61).await.notification.data.items;
    assert_eq!((items.len(), &items[0].notification.covers), (1, &vec![first]));
}

async fn a_late_tenant_has_a_notice_of_its_own() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    fires(store, "t1", "soc", 50).await;
    note(store, known("shift", 10)).await;
    let first = due(store, 50).await;
    assert!(store.notify_shift(known("shift", 10), vec![notice("soc", &[&first[0]])], at(60)).await.unwrap());
    fires(store, "t2", "own", 70).await;
    fires(store, "t3", "soc", 70).await;
    let late = due(store, 70).await;
    let both = || vec![notice("own", &[&late[0]]), notice("soc", &[&late[1]])];
    assert!(store.notify_shift(known("shift", 10), both(), at(70)).await.unwrap());
    let expected = [
        ("soc", "merged"),
        ("soc", "queued"),
        ("own", "merged"),
        ("soc", "merged"),
        ("own", "queued"),
        ("soc", "queued"),
    ];
    assert_eq!(states(store).await, of(&expected));
    assert_eq!(store.shifts(Timestamp::EPOCH).await.unwrap()[0].notified_at, Some(at(70)));
    assert!(!store.notify_shift(known("shift", 10), both(), at(71)).await.unwrap());
}

async fn an_alert_is_covered_until_it_fires_again() {
    use NotificationType as Type;
    for (kind, survives) in [
        (Type::AlertReminder, true),
        (Type::AlertResolved, true),
        (Type::AlertWorsened, true),
        (Type::AlertFiring, false),
    ] {
        let fixture = Fixture::new().await;
        let store = &*fixture.store;
        fires(store, "t1", "soc", 50).await;
        note(store, known("shift", 10)).await;
        let runs = due(store, 50).await;
        let mut notice = notice("soc", &[&runs[0]]);
        notice.members[0].covered.is_accepted = true;
        assert!(store.notify_shift(known("shift", 10), vec![notice], at(60)).await.unwrap());
        assert_eq!(load(store, "t1").await.alerts[0].owes, Some(Owed::Acceptance));
        let owing = AlertFilter { firing_only: true, owes: Some(Owed::Acceptance), ..AlertFilter::default() };
        assert_eq!(store.alerts(&owing).await.unwrap().len(), 1);
        let of_shift = AlertFilter { shift: Some("shift".to_owned()), ..AlertFilter::default() };
        assert_eq!(store.alerts(&of_shift).await.unwrap().len(), 1);
        let mut outcome = check("t1", Some(1), 80);
        let mut new = says("t1", "soc", kind, None);
        new.notification.data.notification.id = notification("newer").data.facts.notification.id;
        outcome.notifications = vec![new];
        commit(store, outcome).await;
        let fixture = fixture.reopen().await;
        let alert = load(&*fixture.store, "t1").await.alerts.remove(0);
        assert_eq!((alert.shift.is_some(), alert.owes), (survives, None), "{kind:?}");
    }
}

async fn movements_are_kept_with_their_check_and_decided_on_once() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    assert!(!store.awaits_fleet().await.unwrap());
    let movement = |name: &str, seconds: i64| Movement {
        tenant: tenant(name),
        score: ScoreKind::DeviceSecureScore,
        subject: None,
        before: sample(seconds - 900, 400.0),
        after: sample(seconds, 376.0),
        by: -6.0,
        read_at: at(seconds),
        interval: Duration::from_mins(15),
    };
    for (name, seconds) in [("t1", 10_000), ("t2", 10_060), ("t3", 1_000)] {
        let mut outcome = check(name, None, seconds);
        outcome.movements = vec![movement(name, seconds)];
        outcome.series = vec![series(vec![sample(seconds, 376.0)], Duration::from_hours(1))];
        commit(store, outcome).await;
    }
    assert!(store.awaits_fleet().await.unwrap());
    let mut tracked = store.movements(Timestamp::EPOCH).await.unwrap();
    assert_eq!(
        tracked.iter().map(|one| one.movement.clone()).collect::<Vec<_>>()[1..],
        [movement("t1", 10_000), movement("t2", 10_060)]
    );
    let scope = Scope::of(ScoreKind::DeviceSecureScore, None);
    let newest = store.newest_samples(&scope).await.unwrap();
    assert_eq!(newest.len(), 3);
    assert!(newest.contains(&(tenant("t1"), at(10_000))));
    tracked[2].part = Some(Attributed { shift: "shift".to_owned(), by: -5.5, is_outlier: true });
    store.note_shifts(vec![known("shift", 10)], tracked.split_off(1)).await.unwrap();
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let left = store.movements(Timestamp::EPOCH).await.unwrap();
    assert_eq!(left.iter().filter(|one| !one.is_decided).count(), 1, "the one that nobody decided on");
    let shifted = load(store, "t2").await.shifted;
    assert_eq!((shifted.len(), shifted[0].shift.as_str(), shifted[0].is_outlier), (1, "shift", true));
    assert_eq!(shifted[0].shifted_by, ShiftedBy { at: at(10_060), by: Amount::Percent(-5.5) });
    assert!(load(store, "t1").await.shifted.is_empty());
    assert_eq!(store.shifted_tenants("shift").await.unwrap(), [(tenant("t2"), true)]);
}

async fn what_waits_for_the_fleet_is_reviewed_early_where_it_is_decidable() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    fires(store, "t1", "soc", 500).await;
    let reminder = says("t2", "soc", NotificationType::AlertReminder, Some(500));
    assert!(store.announce(reminder, at(20)).await.unwrap());
    let count = async |readings: i64, wakes: i64| {
        let decidable = Decidable { next_tick_at: at(readings), next_wake_at: at(wakes), ..Decidable::NONE };
        store.held_decidable(at(30), decidable, 200).await.unwrap().len()
    };
    // The one was made at second 0, the other at second 20.
    for (readings, wakes, expected) in [(0, 20, 0), (1, 20, 1), (0, 21, 1), (1, 21, 2)] {
        assert_eq!(count(readings, wakes).await, expected, "{readings} {wakes}");
    }
    assert!(due(store, 499).await.is_empty(), "by its own time it is not due");
}

async fn no_more_held_groups_are_reviewed_than_asked_for_oldest_first() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
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

async fn shifts_are_kept_for_retention_and_no_longer() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for (id, seen) in [("notified", 10), ("forgotten", 20), ("kept", 900)] {
        note(store, known(id, seen)).await;
    }
    while store.prune(at(1000), Duration::from_secs(920)).await.unwrap() {}
    let left = store.shifts(Timestamp::EPOCH).await.unwrap();
    assert_eq!(left.iter().map(|known| known.id.as_str()).collect::<Vec<_>>(), ["kept"]);
}

on_both! {
    a_shift_is_kept_as_it_was_first_noted_and_listed_from_an_instant_on,
    a_notice_is_queued_once_and_what_it_covers_fares_as_it_does,
    a_held_group_that_grew_since_its_review_is_neither_merged_nor_covered,
    what_waits_of_an_earlier_firing_has_a_fate_of_its_own,
    a_notice_says_all_that_it_covers,
    a_late_tenant_has_a_notice_of_its_own,
    an_alert_is_covered_until_it_fires_again,
    movements_are_kept_with_their_check_and_decided_on_once,
    what_waits_for_the_fleet_is_reviewed_early_where_it_is_decidable,
    no_more_held_groups_are_reviewed_than_asked_for_oldest_first,
    shifts_are_kept_for_retention_and_no_longer,
}
