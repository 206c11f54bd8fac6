#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "small numbers"
)]

use super::*;
use crate::{
    domain::Severity,
    notify::{
        compose,
        notification::{AlertFacts, OperatorFacts},
    },
};

/// `a1` is the first notification of alert `a`, `a1'` of its next firing; a capital is a resolve; `!` one of the operator's, which
/// has no alert.
fn notifications(text: &str) -> Vec<Notification> {
    text.split_whitespace().zip(1..).map(|(word, number)| one(word, number)).collect()
}

fn waiting(text: &str) -> Vec<Waiting> {
    (1..).zip(notifications(text)).map(|(number, one)| Waiting::of(DeliveryId(number), &one)).collect()
}

fn one(word: &str, number: i64) -> Notification {
    let at = Timestamp::from_seconds(number);
    let facts = OperatorFacts { summary: word.to_owned(), class: "test".to_owned(), ..OperatorFacts::default() };
    let kind = NotificationType::OperatorDowntime;
    let mut notification = compose::for_operator(kind, &[word, &number.to_string()], None, facts, at);
    let (alert, sequence) = word.trim_end_matches('\'').split_at(1);
    if alert != "!" {
        let is_over = alert.chars().all(char::is_uppercase);
        notification.kind = if is_over { NotificationType::AlertResolved } else { NotificationType::AlertFiring };
        notification.data.operator = None;
        notification.data.notification.sequence = sequence.parse().unwrap();
        notification.data.alert = Some(AlertFacts {
            id: alert.to_lowercase(),
            state: if is_over { "resolved" } else { "firing" }.to_owned(),
            severity: if alert.eq_ignore_ascii_case("c") { Severity::Critical } else { Severity::Warning },
            started_at: Timestamp::from_seconds(if word.ends_with('\'') { 100 } else { 0 }),
            resolved_at: is_over.then_some(at),
            reason: None,
            remark: None,
            escalation: None,
            resolution: None,
            resolved_by: None,
        });
    }
    notification
}

/// `2<1` is a line that says what delivery 2 says, and covers delivery 1.
fn shown(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let numbers: Vec<String> = line.deliveries.iter().rev().map(ToString::to_string).collect();
        assert_eq!(line.deliveries.last(), Some(&line.newest.delivery));
        numbers.join("<")
    };
    lines.iter().map(line).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_one_alert_has_to_say_is_one_line_of_its_generation() {
    for (text, expected) in [
        ("a1", "1"),
        ("a1 A2", "2<1"),
        ("a1 b1 A2", "2 3<1"),
        ("a1 a2 a3 A4", "4<3<2<1"),
        ("A2 a1", "1 2"),
        ("a1 A2 a1 a2", "2<1 4<3"),
        ("! ! a1", "1 2 3"),
    ] {
        assert_eq!(shown(&lines(waiting(text))), expected, "{text}");
    }
}

#[test]
fn the_newest_speaks_for_the_run_that_it_ends() {
    for (text, expected) in
        [("a1", 1), ("a1 A2", 2), ("a1 a2 A3 a1", 3), ("A3 a1", 1), ("! !", 1), ("a1 b2", 1), ("a1 A2'", 1)]
    {
        assert_eq!(foldable(&waiting(text)), expected, "{text}");
    }
    assert_eq!(foldable(&[]), 0);
}

#[test]
fn what_a_digest_does_not_show_is_counted_by_severity_and_rule() {
    let mut waiting = waiting("a1 b1 c1 d1 E2 !");
    for (one, (rule, tenant)) in
        waiting.iter_mut().zip([("low", "x"), ("drop", "y"), ("low", "x"), ("low", "z"), ("low", "w")])
    {
        (one.rule, one.tenant) = (Some(rule.to_owned()), Some(tenant.to_owned()));
    }
    let lines = lines(waiting);
    let all = facts(&lines, lines.len());
    assert_eq!((all.firing, all.critical, all.tenants, all.ended, all.operator), (4, 1, 3, 1, 1));
    assert!(all.more.is_empty());
    let rest =
        |severity, rule: &str, is_over, count| DigestRest { severity, rule: Some(rule.to_owned()), is_over, count };
    let warning = Some(Severity::Warning);
    let few = facts(&lines, 2);
    assert_eq!(
        few.more,
        [rest(warning, "low", false, 2), rest(warning, "drop", false, 1), rest(warning, "low", true, 1)],
        "the operator's and the critical one are shown"
    );
    assert_eq!((few.firing, few.tenants), (4, 3), "the counts are of all");
}

#[test]
fn every_delivery_is_in_one_line_however_many_wait() {
    let text: String = (0..2 * LINES_MAX).map(|_| "! ").chain(["a1 b1 A2"]).collect();
    let lines = lines(waiting(&text));
    let mut members: Vec<i64> = lines.iter().flat_map(|line| &line.deliveries).map(|id| id.0).collect();
    members.sort_unstable();
    assert_eq!(members, (1..=2 * LINES_MAX as i64 + 3).collect::<Vec<_>>());
}

#[test]
fn a_digest_says_the_most_severe_first_of_equals_the_operator_s_then_the_oldest() {
    let channel = ChannelName::parse("soc").unwrap();
    let lines = lines(waiting("b1 a1 c1 ! d1"));
    let said = notifications("b1 a1 c1 ! d1");
    let items = lines.iter().map(|line| said[line.newest.delivery.0 as usize - 1].clone().into()).collect();
    let message = message("store", &channel, &lines, items, Timestamp::from_seconds(9));
    let order: Vec<i64> = message.data.items.iter().map(|item| item.timestamp.as_seconds()).collect();
    assert_eq!(order, [3, 4, 1, 2, 5]);
    assert_eq!(message.kind, NotificationType::Digest);
}

#[test]
fn a_digest_takes_what_nobody_waits_for_and_nothing_that_would_overtake_its_alert() {
    use NotificationType as Kind;
    let nothing = Preceded::default();
    let (by_held, by_shared) = (Preceded { by_held: true, ..nothing }, Preceded { by_shared: true, ..nothing });
    for (kind, preceded, expected) in [
        (Kind::AlertFiring, nothing, true),
        (Kind::AlertFiring, by_held, false),
        (Kind::AlertFiring, by_shared, false),
        (Kind::OperatorChannel, nothing, true),
        (Kind::Digest, nothing, false),
        (Kind::FleetShift, nothing, false),
        (Kind::Report, nothing, false),
        (Kind::Drill, nothing, false),
        (Kind::Test, nothing, false),
    ] {
        assert_eq!(may_take(kind, preceded), expected, "{kind:?} {preceded:?}");
    }
    assert_eq!((merged_over(5, false), merged_over(5, true)), (5, 1));
}

#[test]
fn what_waits_behind_something_held_or_merged_elsewhere_does_not_cover_what_goes_before() {
    use DeliveryState as State;
    let waiting: Vec<Waiting> =
        (1..).zip(notifications("a1 a2 a3")).map(|(id, one)| Waiting::of(DeliveryId(id), &one)).collect();
    for (states, expected) in [
        ([State::Queued, State::Queued, State::Queued], 3),
        ([State::Queued, State::Held, State::Queued], 1),
        ([State::Queued, State::Merged, State::Queued], 1),
        ([State::Held, State::Queued, State::Queued], 0),
    ] {
        assert_eq!(queued_alone(states.into_iter().zip(waiting.clone()).collect()).len(), expected, "{states:?}");
    }
}

#[test]
fn what_does_not_fit_is_counted() {
    let mut said = notifications("a1 b1 c1");
    for one in &mut said {
        one.data.explanation = Some("x".repeat(ITEMS_BYTES_MAX / 2));
    }
    let channel = ChannelName::parse("soc").unwrap();
    let digest = of("store", &channel, &said, LINES_MAX_OF_MACHINES, Timestamp::from_seconds(9));
    let facts = digest.data.digest.unwrap();
    assert_eq!((digest.data.items.len(), facts.firing), (1, 3));
    assert_eq!(facts.more.iter().map(|rest| rest.count).sum::<usize>(), 2);
}
