//! What a silence held, and what becomes of it at its end.

use super::*;
use crate::{
    notify::{Silence, SilenceId, silence::Matchers},
    replay::stages::hold::release,
};

fn silence(matchers: Matchers, from: i64, until: i64) -> Silence {
    let (starts_at, ends_at) = (Timestamp::from_seconds(from), Timestamp::from_seconds(until));
    Silence { id: SilenceId(1), matchers, starts_at, ends_at, author: String::new(), comment: String::new() }
}

fn plan(silences: &[(i64, i64)], digest_over: Option<usize>) -> Plan {
    Plan {
        rules: vec![rule()],
        receivers: [(channel("soc"), Receiver { digest_over, ..Receiver::default() })].into(),
        fleet: no_wait(),
        silences: silences.iter().map(|&(from, until)| silence(Matchers::default(), from, until)).collect(),
        ..Plan::default()
    }
}

/// What goes on, as `second places`, and what does not, as places.
fn released(plan: &Plan, messages: &[Message]) -> (Vec<String>, Vec<usize>) {
    let mut suppressed = Vec::new();
    let (queued, notices) = release(plan, &[], &Fleet::default(), messages, &mut suppressed);
    assert_eq!(notices, [], "nothing is read, so nothing shifts");
    assert!(suppressed.iter().all(|one| one.stage == Stage::Silence), "{suppressed:?}");
    let line = |one: &Queued| format!("{} {:?}", one.at.as_seconds(), one.says);
    (queued.iter().map(line).collect(), suppressed.into_iter().map(|one| one.message).collect())
}

#[test]
fn what_is_still_relevant_is_sent_at_the_end() {
    for (promise, silences, table, sent, kept) in [
        ("not covered", &[(50, 60)][..], "1 a fired 1.1; 60 a worsened 1.2", &["1 [0]", "60 [1]"][..], &[][..]),
        ("fired and over within", &[(0, 60)], "1 a fired 1.1; 9 a resolved 1.2", &[], &[0, 1]),
        ("fires still", &[(0, 60)], "1 a fired 1.1", &["60 [0]"], &[]),
        ("fires still, and is worse", &[(0, 60)], "1 a fired 1.1; 9 a worsened 1.2", &["60 [0, 1]"], &[]),
        ("reported before, over within", &[(5, 60)], "1 a fired 1.1; 9 a resolved 1.2", &["1 [0]", "60 [1]"], &[]),
        (
            "reported before, worse and over within",
            &[(5, 60)],
            "1 a fired 1.1; 9 a worsened 1.2; 20 a resolved 1.3",
            &["1 [0]", "60 [1, 2]"],
            &[],
        ),
        ("reported before, a reminder within", &[(5, 60)], "1 a fired 1.1; 9 a reminder 1.2", &["1 [0]"], &[1]),
        ("a second life within", &[(0, 60)], "1 a fired 1.1; 9 a resolved 1.2; 20 a fired 2.1", &["60 [2]"], &[0, 1]),
        ("what comes as it ends waits for nobody", &[(0, 60)], "60 a fired 1.1", &["60 [0]"], &[]),
        ("one silence after the other", &[(0, 30), (30, 60)], "1 a fired 1.1", &["60 [0]"], &[]),
        (
            "one that begins before the other ends",
            &[(0, 30), (20, 60)],
            "1 a fired 1.1; 40 a resolved 1.2",
            &[],
            &[0, 1],
        ),
        ("a gap between two", &[(0, 30), (31, 60)], "1 a fired 1.1; 40 a resolved 1.2", &["30 [0]", "60 [1]"], &[]),
        ("alerts apart", &[(0, 60)], "1 a fired 1.1; 2 b fired 1.1; 9 b resolved 1.2", &["60 [0]"], &[1, 2]),
    ] {
        let got = released(&plan(silences, Some(20)), &messages(table, &["soc"]));
        let expected = (sent.iter().map(|&line| line.to_owned()).collect(), kept.to_vec());
        assert_eq!(got, expected, "{promise}");
    }
}

#[test]
fn a_stateful_receiver_is_sent_each_step_of_a_firing_alert() {
    let table = "1 a fired 1.1; 9 a worsened 1.2; 20 a reminder 1.3";
    let got = released(&plan(&[(0, 60)], None), &messages(table, &["soc"]));
    assert_eq!(got, (vec!["60 [0]".to_owned(), "60 [1]".to_owned()], vec![2]));
}

#[test]
fn each_channel_is_decided_by_what_it_was_sent() {
    let mut plan = plan(&[(5, 60)], Some(20));
    plan.receivers.insert(channel("late"), Receiver { digest_over: Some(20), ..Receiver::default() });
    let mut messages = messages("1 a fired 1.1; 9 a worsened 1.2", &["soc"]);
    messages[1].channels = [channel("soc"), channel("late")].into();
    let mut suppressed = Vec::new();
    let (queued, _) = release(&plan, &[], &Fleet::default(), &messages, &mut suppressed);
    let lines: Vec<_> = queued.iter().map(|one| (one.at.as_seconds(), one.channel.as_str(), &one.says[..])).collect();
    assert_eq!(lines, [(1, "soc", &[0][..]), (60, "soc", &[1]), (60, "late", &[1])]);
    assert_eq!(suppressed, []);
}

#[test]
fn a_silence_covers_what_its_matchers_say_and_nothing_else() {
    let of_a = Matchers { tenants: [TenantId::parse("a").unwrap()].into(), ..Matchers::default() };
    let of_critical = Matchers { severities: [Severity::Critical].into(), ..Matchers::default() };
    let mut plan = plan(&[], Some(20));
    plan.silences = vec![silence(of_a, 0, 60), silence(of_critical, 0, 90)];
    let got = released(&plan, &messages("1 a fired 1.1; 2 b fired 1.1", &["soc"]));
    assert_eq!(got.0, ["2 [1]", "60 [0]"]);
}
