//! Silences, which suppress for a while, and acknowledgements of single alerts.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use scorewatch::{
    domain::{Caller, KeyedRequest},
    notify::{
        NotificationType, SilenceId,
        silence::{Acknowledgement, Matchers, NewSilence},
    },
    rule::AlertState,
    store::{
        Acknowledged::{Before, Changed, NotFiring, Now},
        AlertFilter, AttemptOutcome, EntryFilter, NewEntry, SeenAlert, Store,
    },
};

use super::{
    fixture::*,
    hold::{announce, due, of_rule, says, states},
};

fn silence(from: i64, until: i64) -> NewSilence {
    NewSilence {
        matchers: Matchers { tenants: BTreeSet::from([tenant("contoso")]), ..Matchers::default() },
        starts_at: at(from),
        ends_at: at(until),
        author: "ann".into(),
        comment: "patching".into(),
    }
}

async fn silences_are_kept_ended_early_and_removed_when_they_are_long_past() {
    let fixture = Fixture::new().await;
    let first = fixture.store.add_silence(silence(0, 100), None, by_ann(at(0))).await.unwrap();
    let second = fixture.store.add_silence(silence(50, 200), None, by_ann(at(0))).await.unwrap();
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let list = async |after: Option<i64>| {
        let kept = store.silences(after.map(at)).await.unwrap();
        kept.iter().map(|silence| silence.id).collect::<Vec<_>>()
    };
    assert_eq!(list(None).await, [second, first]);
    assert_eq!(list(Some(99)).await, [second, first]);
    assert_eq!(list(Some(100)).await, [second]);
    let kept = store.silences(None).await.unwrap().remove(1);
    let NewSilence { matchers, starts_at, ends_at, author, comment } = silence(0, 100);
    assert_eq!((kept.matchers, kept.starts_at, kept.ends_at), (matchers, starts_at, ends_at));
    assert_eq!((kept.author, kept.comment), (author, comment));

    announce(store, says("F1", 1, Some(200))).await;
    assert!(store.end_silence(second, by_ann(at(60))).await.unwrap());
    assert!(!store.end_silence(second, by_ann(at(61))).await.unwrap(), "it is over");
    assert!(!store.end_silence(SilenceId(99), by_ann(at(61))).await.unwrap());
    assert_eq!(list(Some(60)).await, [first]);
    assert_eq!(due(store, 60).await.len(), 1, "what it held is looked at at once");
    while store.prune(at(1000), Duration::from_secs(920)).await.unwrap() {}
    assert_eq!(list(None).await, [first], "kept for retention, no longer");
}

/// Announces with a check at that second that the alert got worse, as its notification of that number.
async fn worsens(store: &dyn Store, seconds: i64, sequence: u64) {
    let version = load(store, "contoso").await.version;
    let mut outcome = check("contoso", Some(version), seconds);
    outcome.alerts = vec![update("low", firing(1, sequence))];
    let mut new = new_notification(&format!("worse {sequence}"), Some(key("contoso", "low")), &["soc"]);
    new.notification.kind = NotificationType::AlertWorsened;
    new.notification.data.notification.sequence = sequence;
    outcome.notifications = vec![new];
    commit(store, outcome).await;
}

async fn a_worsening_ends_an_acknowledgement_once_somebody_is_notified_of_it_and_not_if_it_is_over_before() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("low", firing(1, 1))];
    commit(store, outcome).await;
    let seen = |seconds| Acknowledgement { at: at(seconds), by: "ann".to_owned(), comment: "seen".to_owned() };
    let acknowledged = async || load(store, "contoso").await.alerts[0].acknowledged.clone();
    let alert = key("contoso", "low");
    assert!(store.acknowledge(&alert, seen(5), by_ann(at(0))).await.unwrap());
    worsens(store, 10, 2).await;
    assert_eq!(acknowledged().await, Some(seen(5)), "it is still on its way");
    let claimed = claim(store, "soc", 11).await;
    store.settle(claimed.id, claimed.attempt, AttemptOutcome::Delivered, None, at(12)).await.unwrap();
    assert_eq!(acknowledged().await, None);
    // It is over before it is delivered.
    assert!(store.acknowledge(&alert, seen(15), by_ann(at(0))).await.unwrap());
    worsens(store, 20, 3).await;
    let mut outcome = check("contoso", Some(load(store, "contoso").await.version), 25);
    let mut over = firing(1, 3);
    if let AlertState::Firing(firing) = &mut over.state {
        firing.taken_back = 3;
    }
    outcome.alerts = vec![update("low", over)];
    commit(store, outcome).await;
    let claimed = claim(store, "soc", 30).await;
    store.settle(claimed.id, claimed.attempt, AttemptOutcome::Delivered, None, at(31)).await.unwrap();
    assert_eq!(acknowledged().await, Some(seen(15)));
}

async fn an_acknowledgement_survives_checks_reminders_and_an_end_that_is_taken_back_and_ends_with_the_next_firing() {
    let fixture = Fixture::new().await;
    let word = |by: &str| Acknowledgement { at: at(5), by: by.to_owned(), comment: "seen".to_owned() };
    let alert = key("contoso", "low");
    assert!(!fixture.store.acknowledge(&alert, word("ann"), by_ann(at(0))).await.unwrap(), "there is no such alert");
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("low", pending())];
    commit(&*fixture.store, outcome).await;
    assert!(!fixture.store.acknowledge(&alert, word("ann"), by_ann(at(0))).await.unwrap(), "it does not fire");
    let mut version = 1;
    for (said, number, survives) in [("W1", 2, true), ("R1", 3, true), ("U1", 4, false)] {
        let mut outcome = check("contoso", Some(version), 1);
        outcome.alerts = vec![update("low", firing(1, 1))];
        commit(&*fixture.store, outcome).await;
        assert!(fixture.store.acknowledge(&alert, word("ann"), by_ann(at(0))).await.unwrap());
        assert!(fixture.store.acknowledge(&alert, word("bob"), by_ann(at(0))).await.unwrap(), "twice is harmless");
        let row = fixture.store.alerts(&AlertFilter::default()).await.unwrap().remove(0);
        assert_eq!(row.acknowledged, Some(word("ann")), "the first to say so");
        // A check that took it for not acknowledged judges again.
        let mut outcome = check("contoso", Some(version + 2), 2);
        outcome.alerts = vec![update("low", firing(1, number.into()))];
        commit(&*fixture.store, outcome).await;
        assert_eq!(
            load(&*fixture.store, "contoso").await.alerts[0].acknowledged,
            Some(word("ann")),
            "a check changes nothing"
        );
        let mut outcome = check("contoso", Some(version + 3), 3);
        outcome.notifications = vec![says(said, number, None)];
        commit(&*fixture.store, outcome).await;
        let acknowledged = load(&*fixture.store, "contoso").await.alerts[0].acknowledged.clone();
        assert_eq!(acknowledged, survives.then(|| word("ann")), "{said}");
        // Who takes it back lets a check under way judge again.
        version += 4 + u64::from(survives);
        assert_eq!(fixture.store.unacknowledge(&alert, by_ann(at(60))).await.unwrap(), survives);
    }
    let store = &*fixture.store;
    assert!(store.acknowledge(&alert, word("ann"), by_ann(at(0))).await.unwrap());
    let commit_as = async |state, notifications| {
        let mut outcome = check("contoso", Some(load(store, "contoso").await.version), 70);
        (outcome.alerts, outcome.notifications) = (vec![update("low", state)], notifications);
        commit(store, outcome).await;
        let shown = store.alerts(&AlertFilter::default()).await.unwrap().remove(0).acknowledged;
        (load(store, "contoso").await.alerts[0].acknowledged.is_some(), shown.is_some())
    };
    assert_eq!(commit_as(resolved(1, 5), vec![says("O1", 5, None)]).await, (true, false), "it is over");
    assert!(
        !store.acknowledge(&alert, word("bob"), by_ann(at(0))).await.unwrap()
            && !store.unacknowledge(&alert, by_ann(at(71))).await.unwrap()
    );
    assert_eq!(commit_as(firing(1, 5), Vec::new()).await, (true, true), "it was not over after all");
    assert_eq!(commit_as(firing(2, 1), Vec::new()).await, (false, false), "it fires anew");
}

async fn an_acknowledgement_takes_back_the_escalation_that_nobody_has_tried_to_send() {
    for (held_until, is_tried) in [(Some(500), false), (None, false), (None, true)] {
        let fixture = Fixture::new().await;
        let store = &*fixture.store;
        let alert = key("contoso", "low");
        let escalated = |steps| {
            let mut alert = firing(1, 2);
            let AlertState::Firing(firing) = &mut alert.state else { unreachable!() };
            firing.escalated.steps = steps;
            alert
        };
        let mut outcome = check("contoso", None, 1);
        outcome.alerts = vec![update("low", escalated(1))];
        let mut further = of_rule("low", "E0", 2, held_until);
        further.channels = vec![channel("call")];
        outcome.notifications = vec![of_rule("low", "F0", 1, None), further];
        commit(store, outcome).await;
        if is_tried {
            claim(store, "call", 2).await;
        }
        let by = Acknowledgement { at: at(5), by: "ann".to_owned(), comment: String::new() };
        assert!(store.acknowledge(&alert, by, by_ann(at(0))).await.unwrap());
        let record = load(store, "contoso").await.alerts.remove(0);
        let (state, notified, steps) = if is_tried {
            ("sending", vec![channel("call"), channel("soc")], 1)
        } else {
            ("suppressed", vec![channel("soc")], 0)
        };
        assert_eq!(states(store).await, ["queued", state]);
        assert_eq!((record.notified_channels, record.alert), (notified, escalated(steps)), "{held_until:?}");
    }
}

async fn many_alerts_are_acknowledged_together_with_an_entry_each_or_not_at_all() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for (name, alert) in [("contoso", firing(1, 1)), ("fabrikam", firing(1, 1)), ("tailspin", pending())] {
        let mut outcome = check(name, None, 0);
        outcome.alerts = vec![update("low", alert)];
        commit(store, outcome).await;
    }
    let word = || Acknowledgement { at: at(5), by: "ann".to_owned(), comment: "seen".to_owned() };
    let entry = |name: &str| NewEntry::by(&Caller::local("ann"), "alert.acknowledge", Some(name.to_owned()), at(5));
    let seen = |name: &str| SeenAlert { alert: key(name, "low"), generation: 1, sequence: 1 };
    let all = |names: &[&str]| names.iter().map(|name| (seen(name), entry(name))).collect::<Vec<_>>();
    assert!(store.acknowledge(&key("fabrikam", "low"), word(), entry("fabrikam")).await.unwrap());
    let names = ["contoso", "fabrikam", "tailspin", "absent"];
    let request = KeyedRequest { caller: "ann".into(), key: "k1".into(), fingerprint: "a".into(), attempt: 1 };
    let mut last = all(&["contoso"]);
    last[0].1.request = Some(Arc::new(request));
    // A second alert that can be acknowledged, and of which the entry can't be written.
    let mut outcome = check("contoso", Some(load(store, "contoso").await.version), 1);
    outcome.alerts = vec![update("low", firing(1, 1)), update("high", firing(1, 1))];
    commit(store, outcome).await;
    last[0].0.alert = key("contoso", "high");
    let both = all(&["contoso"]).into_iter().chain(last).collect();
    assert!(store.acknowledge_all(both, word()).await.is_err(), "nobody has begun that request");
    let recorded = async || {
        let entries = store.entries(&EntryFilter::default()).await.unwrap();
        entries.into_iter().filter_map(|entry| entry.body.target).rev().collect::<Vec<_>>()
    };
    assert_eq!(recorded().await, ["fabrikam"], "neither of the two");
    assert!(load(store, "contoso").await.alerts.iter().all(|alert| alert.acknowledged.is_none()));
    let became = store.acknowledge_all(all(&names), word()).await.unwrap();
    assert_eq!(became, [Now, Before, NotFiring, NotFiring]);
    assert_eq!(recorded().await, ["fabrikam", "contoso"]);
    assert_eq!(store.acknowledge_all(all(&names), word()).await.unwrap(), [Before, Before, NotFiring, NotFiring]);
    assert_eq!(recorded().await, ["fabrikam", "contoso"]);
}

async fn an_alert_that_has_come_further_since_it_was_seen_is_not_acknowledged_with_the_others() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for (name, generation, sequence) in [("contoso", 1, 1), ("fabrikam", 1, 2), ("tailspin", 2, 1)] {
        let mut outcome = check(name, None, 0);
        outcome.alerts = vec![update("low", firing(generation, sequence))];
        commit(store, outcome).await;
    }
    let by = || Acknowledgement { at: at(5), by: "ann".to_owned(), comment: "seen".to_owned() };
    let entry = |name: &str| NewEntry::by(&Caller::local("ann"), "alert.acknowledge", Some(name.to_owned()), at(5));
    let as_first = ["contoso", "fabrikam", "tailspin"]
        .map(|name| (SeenAlert { alert: key(name, "low"), generation: 1, sequence: 1 }, entry(name)));
    let became = store.acknowledge_all(as_first.to_vec(), by()).await.unwrap();
    assert_eq!(became, [Now, Changed, Changed], "it has worsened, or begun again");
    let entries = store.entries(&EntryFilter::default()).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.body.target.as_deref()).collect::<Vec<_>>(), [Some("contoso")]);
    for name in ["fabrikam", "tailspin"] {
        assert_eq!(load(store, name).await.alerts[0].acknowledged, None, "{name}");
    }
}

on_both! {
    an_alert_that_has_come_further_since_it_was_seen_is_not_acknowledged_with_the_others,
    many_alerts_are_acknowledged_together_with_an_entry_each_or_not_at_all,
    silences_are_kept_ended_early_and_removed_when_they_are_long_past,
    a_worsening_ends_an_acknowledgement_once_somebody_is_notified_of_it_and_not_if_it_is_over_before,
    an_acknowledgement_survives_checks_reminders_and_an_end_that_is_taken_back_and_ends_with_the_next_firing,
    an_acknowledgement_takes_back_the_escalation_that_nobody_has_tried_to_send,
}
