//! Excluded controls: rules judge the secure score without them, and a change of what is excluded notifies nobody.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proptest::prelude::*;
use scorewatch::{
    domain::{Control, ControlsRead, Exclusion, Points, Reading, Sample, ScoreKind, ScoreRecord, Selector, Timestamp},
    notify::Notification,
    rule::{BaselineChoice, Change, Condition, Size},
};

use super::{
    judge_fixture::{JudgeFixture, fetched, sent},
    setup::{Build, at, channel, config, rule, tenant, tenant_id},
};

const DAY: i64 = 24 * 60;
const MFA: &str = "AdminMFAV2";

fn drop_by(points: f64) -> Condition {
    let within = Duration::from_hours(24 * 14);
    Condition::Drop(Change { size: Size::Points(points), within, from: BaselineChoice::Best })
}

/// A tenant with a secure score of at most 100 points, 10 of them of the control that may be excluded.
struct Life {
    fixture: JudgeFixture,
    records: BTreeMap<Timestamp, ScoreRecord>,
    is_excluded: bool,
    day: i64,
}

impl Life {
    fn new(when: Condition) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rule = rule("watched", when);
        rule.score = Some(ScoreKind::SecureScore);
        let config = config()
            .with_tenant(tenant("contoso", "http://127.0.0.1:1", folder.path()))
            .with_channel(channel("soc", "https://soc.example/"))
            .with_rule(rule);
        let mut polled = (*config.tenants[&tenant_id("contoso")]).clone();
        polled.scores = Arc::new([ScoreKind::SecureScore]);
        let fixture = JudgeFixture::new(config.with_tenant(polled));
        Self { fixture, records: BTreeMap::new(), is_excluded: false, day: 0 }
    }

    /// Writes or deletes the exclusion. The next check is the first that knows of it.
    fn exclude(&mut self, is_excluded: bool) {
        self.is_excluded = is_excluded;
        let exclusion = Exclusion {
            controls: [MFA.to_owned()].into(),
            tenants: [tenant_id("contoso")].into(),
            labels: Selector::default(),
            reason: "Okta enforces MFA".into(),
            until: at(300 * DAY),
        };
        self.fixture.config.exclusions = if is_excluded { vec![exclusion] } else { Vec::new() };
    }

    /// The next day's record: what the control and the others earn. What is sent, and the first notification.
    fn next(&mut self, mfa: f64, others: f64) -> (Vec<String>, Option<Notification>) {
        self.day += 1;
        let midnight = at(self.day * DAY - 12 * 60);
        let control = |points, maximum| Control {
            category: Some("Identity".to_owned()),
            points: Some(points),
            maximum: Some(maximum),
            counts: None,
        };
        let record = ScoreRecord {
            day: midnight,
            points: Points { earned: mfa + others, of: 100.0 },
            controls: [(MFA.to_owned(), control(mfa, 10.0)), ("Others".to_owned(), control(others, 90.0))].into(),
            services: None,
            all_tenants_average: None,
        };
        self.records.insert(midnight, record);
        self.check()
    }

    /// A check as the service makes it: it asks for every record where what is excluded is new.
    fn check(&mut self) -> (Vec<String>, Option<Notification>) {
        let wanted =
            self.fixture.config.excluded_names(&self.fixture.config.tenants[&tenant_id("contoso")], at(self.day * DAY));
        let known = self.fixture.record.as_ref().map(|record| record.excluded.clone()).unwrap_or_default();
        let newest = self.records.last_key_value().map(|(day, record)| (*day, record.clone()));
        let is_whole = known.needs_history(&wanted);
        let records = if is_whole { self.records.clone() } else { newest.into_iter().collect() };
        let readings = records.values().map(|record| Reading {
            score: ScoreKind::SecureScore,
            subject: None,
            sample: Sample { at: record.day, value: record.points.earned * 100.0 / record.points.of },
            points: Some(record.points),
        });
        let readings = fetched(ScoreKind::SecureScore, readings.collect());
        let is_known = self.is_excluded || !known.in_force.is_empty();
        let records = if wanted.is_empty() { BTreeMap::new() } else { records };
        self.fixture.controls = is_known.then(|| ControlsRead { wanted, records, maxima: BTreeMap::new() });
        let outcome = self.fixture.check(&[readings], at(self.day * DAY));
        if let Some(excluded) = &outcome.excluded {
            self.fixture.record.as_mut().unwrap().excluded = excluded.clone();
        }
        (sent(&outcome), outcome.notifications.first().map(|new| new.notification.clone()))
    }

    /// The next day's record notifies nobody.
    fn quiet(&mut self, mfa: f64, others: f64) {
        assert_eq!(self.next(mfa, others).0, [""; 0], "day {}", self.day);
    }
}

#[test]
fn a_fall_fires_without_the_points_of_excluded_controls() {
    for (is_excluded, then, expected) in [
        (false, (0.0, 45.0), Some((55.0, 45.0))),
        (false, (0.0, 36.0), Some((55.0, 36.0))),
        (true, (0.0, 45.0), None),
        (true, (0.0, 42.0), None),
        (true, (0.0, 36.0), Some((50.0, 40.0))),
        (true, (10.0, 36.0), Some((50.0, 40.0))),
    ] {
        let mut life = Life::new(drop_by(5.0));
        life.exclude(is_excluded);
        life.quiet(10.0, 45.0);
        let (_, notification) = life.next(then.0, then.1);
        let score = notification.map(|notification| notification.data.score.clone().unwrap());
        let seen = score.as_ref().map(|score| (score.baseline.unwrap().round(), score.value.unwrap().round()));
        assert_eq!(seen, expected, "{is_excluded} {then:?}");
        let facts = score.as_ref().and_then(|score| score.excluded.as_ref());
        assert_eq!(facts.is_some(), is_excluded && expected.is_some());
        if let (Some(facts), Some(score)) = (facts, &score) {
            assert_eq!((facts.value_with_them, facts.controls.len()), (Some(then.0 + then.1), 1));
            assert_eq!(facts.controls[0].reason.as_deref(), Some("Okta enforces MFA"));
            assert_eq!(score.points, Some(Points { earned: then.1, of: 90.0 }));
        }
    }
}

#[test]
fn an_exclusion_begins_and_ends_without_a_notification() {
    let mut life = Life::new(drop_by(5.0));
    life.quiet(10.0, 45.0);
    life.exclude(true);
    assert_eq!(life.check().0, [""; 0], "it begins between two records");
    life.quiet(0.0, 45.0);
    life.quiet(0.0, 45.0);
    life.exclude(false);
    assert_eq!(life.check().0, [""; 0], "it ends between two records");
    life.quiet(0.0, 45.0);
    // It begins and ends with a record; what the control lost meanwhile is lost to nobody.
    life.exclude(true);
    life.quiet(0.0, 45.0);
    life.exclude(false);
    life.quiet(0.0, 45.0);
    life.quiet(10.0, 45.0);
    assert_eq!(life.next(0.0, 45.0).0, ["alert.firing to soc"], "from then on it counts again");
}

#[test]
fn a_loss_in_the_moment_of_a_change_keeps_its_size() {
    for is_beginning in [true, false] {
        let mut life = Life::new(drop_by(5.0));
        life.exclude(!is_beginning);
        life.quiet(10.0, 45.0);
        life.quiet(10.0, 45.0);
        life.exclude(is_beginning);
        let (sent, notification) = life.next(10.0, 36.0);
        assert_eq!(sent, ["alert.firing to soc"], "{is_beginning}");
        let loss = notification.unwrap().data.score.as_ref().unwrap().loss.unwrap();
        assert!((loss - if is_beginning { 10.0 } else { 9.0 }).abs() < 1e-9, "{loss}");
    }
}

#[test]
fn a_loss_of_the_control_itself_counts_from_the_end_of_its_exclusion_on() {
    let mut life = Life::new(drop_by(5.0));
    life.exclude(true);
    life.quiet(10.0, 45.0);
    life.exclude(false);
    assert_eq!(life.next(0.0, 45.0).0, ["alert.firing to soc"], "lost with the first record after the end");
}

#[test]
fn an_alert_that_fires_stands_as_it_stood_when_what_is_excluded_changes() {
    let mut life = Life::new(drop_by(5.0));
    life.quiet(10.0, 45.0);
    assert_eq!(life.next(10.0, 36.0).0, ["alert.firing to soc"]);
    life.exclude(true);
    life.quiet(10.0, 36.0);
    life.quiet(0.0, 36.0);
    life.exclude(false);
    life.quiet(0.0, 36.0);
    life.exclude(true);
    assert_eq!(life.check().0, [""; 0]);
    assert_eq!(life.next(0.0, 30.0).0, ["alert.worsened to soc"], "a further loss is told");
    assert_eq!(life.next(0.0, 45.0).0, ["alert.resolved to soc"], "and the recovery");
}

#[test]
fn a_floor_judges_the_level_without_the_controls() {
    let mut life = Life::new(Condition::Below(48.0));
    life.exclude(true);
    life.quiet(0.0, 45.0);
    life.quiet(0.0, 45.0);
    life.exclude(false);
    assert_eq!(life.next(0.0, 45.0).0, ["alert.firing to soc"], "a floor is a floor: the control counts again");
    life.exclude(true);
    assert_eq!(life.next(0.0, 45.0).0, ["alert.resolved to soc"], "nobody is blamed for points that do not count");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The control moves only while it is excluded; exclusions begin and end at random.
    #[test]
    fn whatever_a_control_does_while_it_is_excluded_is_never_news(
        days in prop::collection::vec((any::<bool>(), 0..=10_u8), 1..25),
        is_rise in any::<bool>(),
    ) {
        let Condition::Drop(change) = drop_by(0.5) else { unreachable!() };
        let mut life = Life::new(if is_rise { Condition::Rise(change) } else { Condition::Drop(change) });
        let mut mfa = 5.0;
        life.quiet(mfa, 45.0);
        for (toggles, points) in days {
            if toggles {
                life.exclude(!life.is_excluded);
            }
            if life.is_excluded {
                mfa = f64::from(points);
            }
            prop_assert_eq!(life.next(mfa, 45.0).0, Vec::<String>::new());
        }
    }
}
