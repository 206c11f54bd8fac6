//! Blind, and seeing again.

use std::time::Duration;

use super::world::{World, kind, rule, time, walk};
use crate::{
    domain::{ScoreKind, Timestamp},
    rule::{Alert, EvaluationContext, Event, Feed, step},
};

#[test]
fn silence_fires_by_time_alone_and_any_reading_ends_it() {
    walk(
        "no_data 6h",
        "00:00  10  inactive  -
         05:59  -   inactive  -
         06:00  -   firing    fired
         06:30  0   inactive  resolved   # data came, though a zero that waits to be confirmed",
    );
}

#[test]
fn a_reading_that_comes_after_the_silence_does_not_fire_it() {
    walk("no_data 6h", "00:00 10 inactive -\n 09:00 10 inactive -");
}

#[test]
fn a_gap_is_reported_without_a_value_since_data_was_last_seen() {
    let mut world = World::new();
    world.walk(&rule("no_data 6h"), "01:00 10 inactive -\n 07:30 - firing fired\n 08:00 10 inactive resolved");
    let (fired, resolved) = (&world.transitions[0], &world.transitions[1]);
    assert_eq!((fired.value, fired.observed_at, fired.baseline), (None, None, None));
    assert_eq!((fired.since, fired.fired_at, fired.at), (time("01:00"), time("07:30"), time("07:30")));
    assert_eq!((resolved.value, resolved.since, resolved.at), (Some(10.0), time("01:00"), time("08:00")));
}

#[test]
fn our_downtime_does_not_count_as_a_gap() {
    let mut world = World { downtime: Duration::from_hours(2), ..World::new() };
    world.walk(&rule("no_data 6h"), "00:00 10 inactive -\n 07:59 - inactive -\n 08:00 - firing fired");
}

#[test]
fn downtime_longer_than_the_limit_never_fires() {
    let mut world = World { downtime: Duration::from_hours(200), ..World::new() };
    world.walk(&rule("no_data 6h"), "00:00 10 inactive -\n 8d00:00 - inactive -");
}

#[test]
fn blindness_is_reminded_of_and_ends_before_it_is_reminded_of() {
    walk(
        "no_data 6h, repeat 1h",
        "06:00  -   firing    fired
         06:59  -   firing    -
         07:00  -   firing    reminder
         08:30  10  inactive  resolved",
    );
}

#[test]
fn it_fires_once_a_scheduled_check_was_missed_or_has_failed_and_never_before() {
    let after = |hours: u64| World { missed_after: Some(Duration::from_hours(hours)), ..World::new() };
    // A daily check that fails: long after the six hours.
    after(24).walk(
        &rule("no_data 6h"),
        "00:00  10  inactive  -  wake 1d00:00
         06:00  -   inactive  -
         23:59  -   inactive  -
         1d00:00  -  firing  fired",
    );
    after(1).walk(&rule("no_data 6h"), "00:00 10 inactive - wake 06:00\n 05:59 - inactive -\n 06:00 - firing fired");
    let mut unscheduled = World { missed_after: None, ..World::new() };
    unscheduled.walk(&rule("no_data 6h"), "00:00 10 inactive - wake never\n 900d00:00 - inactive - wake never");
}

const DEVICE: ScoreKind = ScoreKind::DeviceSecureScore;
const SECURE: ScoreKind = ScoreKind::SecureScore;
const EXPOSURE: ScoreKind = ScoreKind::ExposureScore;

/// Which scores are read at that time, of all that have been since the beginning.
type Look<'a> = (&'a str, &'a [ScoreKind]);

/// Takes the alert of a whole tenant through these evaluations; returns what was reported, with the scores that it lists.
fn tenant(text: &str, scores: &[ScoreKind], looks: &[Look<'_>]) -> Vec<String> {
    let (rule, mut alert, mut notified) = (rule(text), Alert::default(), Vec::new());
    let mut last_data: Vec<Timestamp> = scores.iter().map(|_| time("00:00")).collect();
    for (now, read) in looks.iter().map(|(at, read)| (time(at), *read)) {
        let mut feeds = Vec::new();
        for (score, last) in scores.iter().zip(&mut last_data) {
            let is_read = read.contains(score);
            *last = if is_read { now } else { *last };
            let missed_at = Some(last.plus(Duration::from_mins(15)));
            feeds.push(Feed { score: *score, last_data: *last, downtime: Duration::ZERO, missed_at, is_read });
        }
        let context = EvaluationContext {
            now,
            window: &[],
            source_interval: Duration::from_mins(15),
            missed_checks: 0,
            onboarded_at: None,
            feeds: &feeds,
            notified_at: None,
            sendable_since: None,
            is_acknowledged: false,
            is_on_its_way: false,
            can_be_withdrawn: false,
            shifts: &[],
        };
        let step = step(&rule, &alert, Event::Tick, &context);
        super::explain::assert_explains(&rule, &alert, Event::Tick, &context, &step);
        if let Some(transition) = step.transition {
            let listed: Vec<_> = transition.unread.iter().map(|unread| unread.score.as_str()).collect();
            notified.push(format!("{} {}", kind(transition.kind), listed.join("+")));
        }
        alert = step.alert.unwrap_or(alert);
    }
    notified
}

#[test]
fn all_scores_of_a_tenant_are_one_alert_that_ends_when_each_of_them_is_read_again() {
    let looks: &[Look<'_>] = &[
        ("05:59", &[]),
        ("06:00", &[]),
        ("06:15", &[DEVICE]),
        ("06:30", &[DEVICE, EXPOSURE]),
        ("06:45", &[DEVICE, EXPOSURE, SECURE]),
        ("07:00", &[]),
    ];
    assert_eq!(
        tenant("no_data 6h", &[DEVICE, SECURE, EXPOSURE], looks),
        ["fired device-secure-score+secure-score+exposure-score", "resolved secure-score"]
    );
}

#[test]
fn another_score_without_data_is_reported_while_the_alert_already_fires() {
    let looks: &[Look<'_>] = &[
        ("05:00", &[SECURE]),
        ("06:00", &[SECURE]),
        ("12:00", &[]),
        ("12:15", &[]),
        ("12:30", &[DEVICE]),
        ("18:30", &[]),
        ("18:45", &[DEVICE, SECURE]),
    ];
    assert_eq!(
        tenant("no_data 6h", &[DEVICE, SECURE], looks),
        [
            "fired device-secure-score",
            "worsened device-secure-score+secure-score",
            "worsened secure-score+device-secure-score",
            "resolved secure-score+device-secure-score"
        ]
    );
}
