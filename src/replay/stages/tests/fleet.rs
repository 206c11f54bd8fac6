//! What is known of the fleet at an instant. Everybody is read every quarter of an hour, each a minute after the one before.

use super::*;
use crate::{
    domain::Sample,
    notify::fleet::REMEMBERED,
    replay::{ScoreCourse, SeriesCourse, stages::fleet::Fleet},
    rule::{BaselineChoice, Change, Size},
};

const SCORE: ScoreKind = ScoreKind::DeviceSecureScore;
const TENANTS: i64 = 12;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// Read as values, a `-` is no reading.
fn course(number: i64, values: &str) -> Course {
    let read = (0..).zip(values.split_whitespace()).filter(|(_, value)| *value != "-");
    let samples: Vec<Sample> = read
        .map(|(quarter, value)| Sample { at: at(quarter * 900 + number * 60), value: value.parse().unwrap() })
        .collect();
    let series = vec![SeriesCourse { subject: None, samples, read_at: Vec::new(), history: 0, averages: Vec::new() }];
    Course {
        tenant: TenantId::parse(&format!("t{number}")).unwrap(),
        name: "A tenant".into(),
        labels: Arc::default(),
        notify: Vec::new(),
        poll_interval: Duration::from_mins(15),
        scores: vec![ScoreCourse { score: SCORE, series, looks: Vec::new() }],
        away: Vec::new(),
        until: at(90_000),
    }
}

/// All fall by 6 % in the third quarter, but for these.
fn courses(others: &[(i64, &str)]) -> Vec<Course> {
    let values =
        |number| others.iter().find(|(other, _)| *other == number).map_or("100 100 94 94", |(_, values)| values);
    (0..TENANTS).map(|number| course(number, values(number))).collect()
}

fn plan() -> Plan {
    let size = Size::Percent(5.0);
    let when = Condition::Drop(Change { size, within: Duration::from_hours(24), from: BaselineChoice::Best });
    let rule = Arc::new(Rule { when, ..Arc::unwrap_or_clone(rule()) });
    Plan { rules: vec![rule], ..Plan::default() }
}

/// That one fell from 100 to this value, as read then.
fn fell(plan: &Plan, number: i64, value: f64, read_at: i64) -> Message {
    let mut told = messages(&format!("{read_at} t{number} fired 1.1"), &["soc"]).remove(0);
    told.rule = Arc::clone(&plan.rules[0]);
    (told.transition.value, told.transition.baseline) = (Some(value), Some(100.0));
    told
}

/// The place of the shift that explains it.
fn explaining(fleet: &mut Fleet<'_>, told: &Message, now: i64) -> Option<usize> {
    let suspected = fleet.suspected(told, told.kind(), at(now)).expect("it tells of a value");
    fleet.explaining(&suspected, at(now))
}

#[test]
fn a_shift_shows_once_enough_were_read_and_is_one_for_all() {
    let (plan, courses) = (plan(), courses(&[]));
    let mut fleet = Fleet::new(&plan, &courses);
    let first = fell(&plan, 0, 94.0, 1800);
    assert_eq!(explaining(&mut fleet, &first, 1800 + 8 * 60), None, "nine have moved; ten make a shift");
    assert_eq!(explaining(&mut fleet, &first, 1800 + 9 * 60), Some(0));
    assert_eq!(explaining(&mut fleet, &fell(&plan, 7, 94.0, 1800 + 7 * 60), 2700), Some(0));
    assert_eq!(fleet.shifts.len(), 1);
    assert!(fleet.shifts[0].tell_at > at(2700 + 60), "stragglers are waited for");
}

#[test]
fn who_stands_out_is_an_outlier_and_who_did_not_move_is_none() {
    let (plan, courses) = (plan(), courses(&[(3, "100 100 60 60"), (4, "100 100 100 100")]));
    let mut fleet = Fleet::new(&plan, &courses);
    assert_eq!(explaining(&mut fleet, &fell(&plan, 0, 94.0, 1800), 3600), Some(0));
    assert_eq!(explaining(&mut fleet, &fell(&plan, 3, 60.0, 1980), 3600), None, "it has lost something of its own");
    let known = fleet.shifts[0].clone();
    assert_eq!(fleet.moved(&known, at(3600)).0, [TenantId::parse("t3").unwrap()]);
}

#[test]
fn who_was_not_read_joins_late_and_a_shift_is_forgotten_after_two_weeks() {
    let late = "100 100 - - - - 94";
    let (plan, courses) = (plan(), courses(&[(11, late)]));
    let mut fleet = Fleet::new(&plan, &courses);
    assert_eq!(explaining(&mut fleet, &fell(&plan, 0, 94.0, 1800), 3600), Some(0));
    let joins = fell(&plan, 11, 94.0, 6 * 900 + 660);
    assert_eq!(explaining(&mut fleet, &joins, 7000), Some(0));
    let forgotten = i64::try_from(REMEMBERED.as_secs()).unwrap() + 3600;
    assert_eq!(explaining(&mut fleet, &joins, forgotten - 1), Some(0));
    assert_eq!(explaining(&mut fleet, &joins, forgotten), None);
}

#[test]
fn what_is_read_late_is_not_known_before() {
    let (plan, mut courses) = (plan(), courses(&[]));
    for course in &mut courses[3..] {
        let series = &mut course.scores[0].series[0];
        series.read_at = series.samples.iter().map(|sample| sample.at).collect();
        series.read_at[2..].fill(at(9000));
    }
    let mut fleet = Fleet::new(&plan, &courses);
    let told = fell(&plan, 0, 94.0, 1800);
    assert_eq!(explaining(&mut fleet, &told, 8999), None, "dated long ago, but nobody has read it");
    assert_eq!(explaining(&mut fleet, &told, 9000), Some(0));
}

#[test]
fn what_tells_of_no_value_or_of_the_first_is_due_to_no_shift() {
    let (plan, courses) = (plan(), courses(&[(5, "- - 94 94")]));
    let fleet = Fleet::new(&plan, &courses);
    let mut without_value = fell(&plan, 0, 94.0, 1800);
    without_value.transition.value = None;
    let strange = Message { tenant: TenantId::parse("stranger").unwrap(), ..fell(&plan, 0, 94.0, 1800) };
    let other = Message { score: Some(ScoreKind::ExposureScore), ..fell(&plan, 0, 94.0, 1800) };
    for told in [&without_value, &strange, &other, &fell(&plan, 5, 94.0, 2100)] {
        assert_eq!(fleet.suspected(told, told.kind(), at(3600)), None, "{told:?}");
    }
}

#[test]
fn those_count_who_are_polled_for_the_score() {
    let (plan, mut courses) = (plan(), courses(&[]));
    courses[0].scores[0].score = ScoreKind::ExposureScore;
    let fleet = Fleet::new(&plan, &courses);
    let count = |score| fleet.polled(score).count();
    assert_eq!((count(SCORE), count(ScoreKind::ExposureScore), count(ScoreKind::SecureScore)), (11, 1, 0));
}
