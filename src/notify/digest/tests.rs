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
fn waiting(text: &str) -> Vec<Waiting> {
    text.split_whitespace().zip(1..).map(|(word, number)| one(word, number)).collect()
}

fn one(word: &str, number: i64) -> Waiting {
    let at = Timestamp::from_seconds(number);
    let facts = OperatorFacts {
        summary: word.to_owned(),
        class: "test".to_owned(),
        hint: None,
        channel: None,
        from: None,
        until: None,
    };
    let kind = NotificationType::OperatorAway;
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
            resolution: None,
        });
    }
    Waiting { delivery: DeliveryId(number), notification, stands_for: Vec::new() }
}

/// `2<1` is a line that says what delivery 2 says, and speaks for delivery 1.
fn shown(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let numbers: Vec<String> = line.deliveries.iter().rev().map(ToString::to_string).collect();
        assert_eq!(line.item.notification.stands_for.len(), line.deliveries.len() - 1);
        numbers.join("<")
    };
    lines.iter().map(line).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_one_alert_has_to_say_is_one_line_of_its_generation() {
    for (text, expected) in [
        ("a1", "1"),
        ("a1 A2", "2<1"),
        ("a1 b1 A2", "3<1 2"),
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
        let run: Vec<Notification> = waiting(text).into_iter().map(|waiting| waiting.notification).collect();
        assert_eq!(foldable(&run), expected, "{text}");
    }
    assert_eq!(foldable(&[]), 0);
}

#[test]
fn a_digest_ends_before_the_line_that_is_too_many_and_takes_nothing_after_it() {
    let mut text = "! ".repeat(LINES_MAX - 1);
    text.push_str("a1 b1 A2");
    let lines = lines(waiting(&text));
    assert_eq!(lines.len(), LINES_MAX);
    assert!(lines.iter().all(|line| line.deliveries.len() == 1));
}

#[test]
fn a_digest_says_the_operator_s_first_then_the_gravest_then_the_oldest() {
    let channel = ChannelName::parse("soc").unwrap();
    let lines = lines(waiting("b1 a1 c1 ! d1"));
    let message = message("store", &channel, &lines, Timestamp::from_seconds(9));
    let order: Vec<i64> = message.data.items.iter().map(|item| item.timestamp.as_seconds()).collect();
    assert_eq!(order, [4, 3, 1, 2, 5]);
    assert_eq!(message.kind, NotificationType::Digest);
}
