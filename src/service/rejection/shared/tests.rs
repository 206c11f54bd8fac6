//! What is said of which rejections, one look after the other.

use super::*;
use crate::notify::facts::wording;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_000_000 + seconds)
}

/// Replicas that live, each as `name` or as `name what since`: it rejects that since that second.
fn replicas(said: &str) -> Vec<Replica> {
    let one = |said: &str| {
        let parts: Vec<&str> = said.split(' ').collect();
        let rejected = parts.get(1).map(|what| RejectedConfiguration {
            fingerprint: (*what).to_owned(),
            errors: 1,
            first: format!("error of {what}"),
            since: at(parts[2].parse().unwrap()),
        });
        Replica {
            id: parts[0].to_owned(),
            place: format!("pid 1 on {}", parts[0]),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: at(0),
            heard_at: at(0),
            living: true,
            leads: false,
            shards: 1,
            lateness_ms: None,
            fingerprint: "x".to_owned(),
            same_configuration: Some(true),
            same_version: Some(true),
            rejects: None,
            rejected,
        }
    };
    said.split(", ").map(one).collect()
}

/// Looks at this second, and says what the operator is notified of.
fn look(known: &mut Known, second: i64, said: &str) -> Vec<String> {
    let (replicas, mut all) = (replicas(said), Vec::new());
    while let Some(news) = known.news(&replicas, at(second)) {
        all.push(match &news {
            News::Rejected { what, ids, round, .. } => format!("{} by {} ({round})", what.fingerprint, ids.join("+")),
            News::Over { .. } => "over".to_owned(),
        });
        known.notified(&news);
        assert!(all.len() < 10, "{all:?}");
    }
    all
}

fn walk(known: &mut Known, steps: &[(i64, &str, &[&str])]) {
    for (second, said, expected) in steps {
        assert_eq!(look(known, *second, said), *expected, "second {second}: {said}");
    }
}

#[test]
fn what_several_replicas_reject_is_one_message_and_one_end() {
    let mut known = Known::default();
    walk(
        &mut known,
        &[
            (0, "a, b", &[]),
            (1, "a bad 1, b", &[]),
            (5, "a bad 1, b bad 5", &[]),
            (11, "a bad 1, b bad 5", &["bad by a+b (0)"]),
            (15, "a bad 1, b bad 5", &[]),
            // Files come to one machine after the other.
            (MINUTE, "a bad 1, b bad 5, c bad 60", &[]),
            (2 * MINUTE, "a bad 1, b bad 5, c bad 60", &[]),
            // One is corrected, or started again with good files: the others are not.
            (3 * MINUTE, "a, b bad 5, c bad 60", &[]),
            (4 * MINUTE, "d, a, b bad 5", &[]),
            (5 * MINUTE, "d, a, b", &["over"]),
            (6 * MINUTE, "d, a, b", &[]),
        ],
    );
    assert!(known.rests());
}

#[test]
fn what_is_another_rejection_is_said_again() {
    walk(
        &mut Known::default(),
        &[
            (0, "a one 0, b two 0", &[]),
            (10, "a one 0, b two 0", &["one by a (0)", "two by b (0)"]),
            // Whoever tries to correct it and fails is notified once a day, as with a single process.
            (20, "a three 0, b two 0", &[]),
            (MINUTE, "a three 0, b two 0", &[]),
            // What nobody rejects any more is said again if somebody does.
            (2 * MINUTE, "a, b two 0", &[]),
            (3 * MINUTE, "a one 180, b two 0", &[]),
            (4 * MINUTE, "a one 180, b two 0", &["one by a (0)"]),
            (5 * MINUTE, "a, b", &["over"]),
            (6 * MINUTE, "a one 360, b", &[]),
            (7 * MINUTE, "a one 360, b", &["one by a (0)"]),
        ],
    );
}

#[test]
fn what_stays_rejected_is_said_each_day_with_all_who_reject_it() {
    walk(
        &mut Known::default(),
        &[
            (0, "a bad 0", &[]),
            (10, "a bad 0", &["bad by a (0)"]),
            (DAY, "a bad 0, b bad 86400", &[]),
            (DAY + 10, "a bad 0, b bad 86400", &["bad by a+b (1)"]),
            (DAY + MINUTE, "a bad 0, b bad 86400", &[]),
            // It is said for the first day of the one that is left.
            (2 * DAY + 10, "b bad 86400", &[]),
            (3 * DAY + 10, "b bad 86400", &["bad by b (2)"]),
            (3 * DAY + MINUTE, "b", &["over"]),
        ],
    );
}

#[test]
fn a_mistake_that_is_corrected_within_seconds_is_not_said() {
    walk(&mut Known::default(), &[(0, "a bad 0", &[]), (9, "a bad 0", &[]), (10, "a", &[]), (99, "a", &[])]);
}

#[test]
fn a_replica_that_leads_next_says_the_same_and_reports_the_end() {
    let said = |known: &mut Known, second: i64, replicas_said: &str| {
        let news = known.news(&replicas(replicas_said), at(second)).unwrap();
        known.notified(&news);
        news.said(at(second)).1
    };
    let (mut before, mut next) = (Known::default(), Known::default());
    for known in [&mut before, &mut next] {
        assert_eq!(look(known, 0, "a bad 0, b bad 3"), Vec::<String>::new());
    }
    // The same message, which the store has already.
    assert_eq!(said(&mut before, 10, "a bad 0, b bad 3"), said(&mut next, 70, "a bad 0, b bad 3"));

    let sent = |class: &str, second: i64| {
        let news = wording::News::ConfigurationsAgree;
        let facts = OperatorFacts { from: Some(at(second)), ..OperatorFacts::of(news, class, None) };
        compose::for_operator(NotificationType::OperatorConfiguration, &[class], None, facts, at(second))
    };
    for (recent, expected) in [
        (vec![], None),
        (vec![sent(REJECTED, 5)], Some(5)),
        // Something else was said since.
        (vec![sent("configurations-differ", 9), sent(REJECTED, 8), sent(REJECTED, 5), sent(ACCEPTED, 1)], Some(5)),
        (vec![sent(ACCEPTED, 9), sent(REJECTED, 5)], None),
    ] {
        assert_eq!(open_since(&recent), expected.map(at));
    }
    let mut next = Known { open: Some(at(5)), ..Known::default() };
    assert_eq!(look(&mut next, 99, "a, b"), ["over"]);
}

#[test]
fn a_replica_that_does_not_lead_speaks_for_itself_if_the_lead_may_not() {
    let ids = |replicas: Vec<Replica>| of_own(replicas, Some("a")).into_iter().map(|one| one.id).collect::<Vec<_>>();
    let led_by = |version: &str| {
        let mut all = replicas("a bad 0, b");
        (all[1].leads, all[1].version) = (true, version.to_owned());
        all
    };
    assert_eq!(ids(led_by(env!("CARGO_PKG_VERSION"))), Vec::<String>::new());
    assert_eq!(ids(led_by("0.0.1")), ["a"]);
    assert_eq!(ids(replicas("a bad 0, b bad 0")), ["a"]);
}
