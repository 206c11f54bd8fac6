//! What channels get of the messages of alerts: a table of messages, each `second tenant kind generation.sequence`.

mod digest;
mod hold;
mod lines;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::*;
use crate::{
    domain::{ScoreKind, Severity, TenantId},
    notify::{Silence, SilenceId, fleet::FleetSettings, silence::Matchers},
    replay::Receiver,
    rule::{Condition, Resolution, Rule, RuleName, Transition, TransitionKind},
};

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

fn rule() -> Arc<Rule> {
    Arc::new(Rule {
        score: Some(ScoreKind::DeviceSecureScore),
        notify: vec![channel("soc")],
        ..Rule::new(RuleName::parse("low").unwrap(), Condition::Below(300.0))
    })
}

fn no_wait() -> FleetSettings {
    FleetSettings { hold: Duration::ZERO, ..FleetSettings::default() }
}

/// All that is said of one generation of an alert began with the first of it.
fn messages(table: &str, channels: &[&str]) -> Vec<Message> {
    let rule = rule();
    let mut began: BTreeMap<(String, String), Timestamp> = BTreeMap::new();
    let channels: Arc<[ChannelName]> = channels.iter().map(|name| channel(name)).collect();
    let mut message = |row: &str| {
        let [second, tenant, kind, number] = row.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
        let (generation, sequence) = number.split_once('.').unwrap();
        let at = Timestamp::from_seconds(second.parse().unwrap());
        let since = *began.entry((tenant.to_owned(), generation.to_owned())).or_insert(at);
        let kind = match kind {
            "fired" => TransitionKind::Fired,
            "worsened" => TransitionKind::Worsened,
            "reminder" => TransitionKind::Reminder,
            "escalated" => TransitionKind::Escalated,
            _ => TransitionKind::Resolved(Resolution::Recovered),
        };
        let (value, baseline) = (Some(200.0), None);
        let (generation, sequence) = (generation.parse().unwrap(), sequence.parse().unwrap());
        let transition = Transition {
            kind,
            at,
            value,
            observed_at: Some(at),
            baseline,
            previous: None,
            since,
            fired_at: since,
            generation,
            sequence,
            gap: None,
            unread: Vec::new(),
            listed: 0,
            escalated: 0,
            unacknowledged: None,
            holds: true,
        };
        let tenant = TenantId::parse(tenant).unwrap();
        let (rule, channels, score) = (Arc::clone(&rule), Arc::clone(&channels), Some(ScoreKind::DeviceSecureScore));
        Message { at, tenant, rule, score, subject: None, transition, taken_back_at: None, channels }
    };
    table.split(';').map(str::trim).filter(|row| !row.is_empty()).map(&mut message).collect()
}

/// What is sent, as `second type places`.
fn sent(table: &str, digest_over: Option<usize>, pace: u64) -> Vec<String> {
    let receiver = Receiver { digest_over, pace: Duration::from_secs(pace), ..Receiver::default() };
    let plan = Plan {
        rules: vec![rule()],
        receivers: [(channel("soc"), receiver)].into(),
        fleet: no_wait(),
        ..Plan::default()
    };
    let outcome = send(&plan, &[], &Fleet::default(), messages(table, &["soc"]));
    let line = |sent: &Sent| format!("{} {} {:?}", sent.at.as_seconds(), sent.kind.as_str(), sent.says);
    outcome.sent.iter().map(line).collect()
}

#[test]
fn what_comes_apart_is_sent_apart_and_what_waits_goes_along() {
    for (table, over, pace, expected) in [
        ("1 a fired 1.1; 9 a resolved 1.2", Some(2), 1, &["1 alert.firing [0]", "9 alert.resolved [1]"][..]),
        // While the channel rests, one alert's steps become its newest.
        (
            "1 b fired 1.1; 1 a fired 1.1; 2 a worsened 1.2; 3 a resolved 1.3",
            Some(9),
            4,
            &["1 alert.firing [0]", "5 alert.resolved [1, 2, 3]"],
        ),
        // A new life of the alert is a message of its own.
        (
            "1 b fired 1.1; 2 a resolved 1.2; 3 a fired 2.1",
            Some(9),
            4,
            &["1 alert.firing [0]", "5 alert.resolved [1]", "9 alert.firing [2]"],
        ),
        ("1 a fired 1.1; 1 b fired 1.1; 1 c fired 1.1", Some(2), 0, &["1 digest [0, 1, 2]"]),
        ("1 a fired 1.1; 1 b fired 1.1", Some(2), 0, &["1 alert.firing [0]", "1 alert.firing [1]"]),
        // One alert alone makes no digest.
        ("1 a fired 1.1; 1 a worsened 1.2; 1 a resolved 1.3", Some(2), 0, &["1 alert.resolved [0, 1, 2]"]),
        // A stateful receiver is sent each step.
        (
            "1 a fired 1.1; 1 a worsened 1.2; 1 b fired 1.1",
            None,
            1,
            &["1 alert.firing [0]", "2 alert.worsened [1]", "3 alert.firing [2]"],
        ),
    ] {
        assert_eq!(sent(table, over, pace), expected, "{table}");
    }
}

#[test]
fn all_that_waits_goes_out_as_one_digest_however_much_it_is() {
    let of = |count: usize| {
        let table = (0..count).map(|number| format!("1 tenant-{number} fired 1.1")).collect::<Vec<_>>().join(";");
        sent(&table, Some(20), 1)
    };
    assert_eq!(of(120), [format!("1 digest {:?}", (0..120).collect::<Vec<_>>())], "none is left to be sent singly");
    let singly = of(20);
    assert_eq!(singly.len(), 20, "twenty are not more than twenty");
    assert!(singly.iter().all(|line| line.contains(" alert.firing [")), "{singly:?}");
}

#[test]
fn nothing_is_lost_between_queued_and_sent() {
    let line = |number: u32| format!("{} t{} fired {}.1", number / 7, number % 40, 1 + number / 40);
    let table = (0..300).map(line).collect::<Vec<_>>().join(";");
    let receiver = Receiver { digest_over: Some(5), pace: Duration::from_secs(3), ..Receiver::default() };
    let plan = Plan {
        rules: vec![rule()],
        receivers: [(channel("soc"), receiver)].into(),
        fleet: no_wait(),
        ..Plan::default()
    };
    let outcome = send(&plan, &[], &Fleet::default(), messages(&table, &["soc"]));
    let mut said: Vec<usize> = outcome.sent.iter().flat_map(|sent| sent.says.iter().copied()).collect();
    said.sort_unstable();
    assert_eq!(said, (0..300).collect::<Vec<_>>());
    assert!(
        outcome.sent.windows(2).all(|pair| pair[1].at.since(pair[0].at) >= Duration::from_secs(3)),
        "the pace is kept"
    );
}

#[test]
fn rules_that_notify_nobody_are_counted() {
    let plan = Plan { rules: vec![rule()], ..Plan::default() };
    let outcome = send(&plan, &[], &Fleet::default(), messages("1 a fired 1.1", &[]));
    assert_eq!(outcome.sent, []);
    assert_eq!(outcome.suppressed, [Suppressed { message: 0, channel: None, stage: Stage::Route }]);
}

/// What is sent, as `second type places`, of alerts that a silence covers from 5 to 60; worsenings are over at these seconds.
fn sent_after_a_silence(table: &str, taken_back: &[(usize, i64)]) -> Vec<String> {
    let silence = Silence {
        id: SilenceId(1),
        matchers: Matchers::default(),
        starts_at: Timestamp::from_seconds(5),
        ends_at: Timestamp::from_seconds(60),
        author: "ann".to_owned(),
        comment: "patching".to_owned(),
    };
    let plan = Plan {
        rules: vec![rule()],
        receivers: [(channel("soc"), Receiver { digest_over: Some(9), ..Receiver::default() })].into(),
        fleet: no_wait(),
        silences: vec![silence],
        ..Plan::default()
    };
    let mut messages = messages(table, &["soc"]);
    for message in &mut messages {
        message.transition.since = Timestamp::from_seconds(1);
    }
    for &(place, second) in taken_back {
        messages[place].taken_back_at = Some(Timestamp::from_seconds(second));
    }
    let outcome = send(&plan, &[], &Fleet::default(), messages);
    let line = |sent: &Sent| format!("{} {} {:?}", sent.at.as_seconds(), sent.kind.as_str(), sent.says);
    outcome.sent.iter().map(line).collect()
}

#[test]
fn a_worsening_within_a_silence_is_sent_at_its_end_if_it_still_holds() {
    let fired = "1 alert.firing [0]";
    for (table, taken_back, expected) in [
        ("1 a fired 1.1; 9 a worsened 1.2", &[][..], &[fired, "60 alert.worsened [1]"][..]),
        ("1 a fired 1.1; 9 a worsened 1.2", &[(1, 30)], &[fired]),
        // It comes back after the silence, and was reported by then.
        ("1 a fired 1.1; 9 a worsened 1.2", &[(1, 61)], &[fired, "60 alert.worsened [1]"]),
        ("1 a fired 1.1; 9 a worsened 1.2; 40 a worsened 1.3", &[(1, 30)], &[fired, "60 alert.worsened [2]"]),
        ("1 a fired 1.1; 9 a worsened 1.2; 40 a resolved 1.3", &[(1, 30)], &[fired, "60 alert.resolved [1, 2]"]),
        // Its first word is that it fires.
        ("9 a fired 1.1; 20 a worsened 1.2", &[(1, 30)], &["60 alert.firing [0]"]),
    ] {
        assert_eq!(sent_after_a_silence(table, taken_back), expected, "{table} {taken_back:?}");
    }
}
