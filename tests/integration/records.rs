//! Scores that come as daily records, and scores with subjects: what is new, what is history, what is gone.

use std::{sync::Arc, time::Duration};

use scorewatch::{
    check::judge::{Failure, Fetched, Partly},
    config::Config,
    domain::{Reading, Sample, ScoreKind, Subject, Timestamp},
    rule::{BaselineChoice, Change, Condition, Resolution, Size},
};

use super::{
    judge_fixture::{JudgeFixture, failed, fetched, sent},
    setup::{Build, at, channel, config, minutes, rule, tenant, tenant_id},
};

const DAY: i64 = 24 * 60;

/// The tenant `contoso` with one score and one rule on it, which notifies `soc`.
fn watching(score: ScoreKind, when: Condition) -> JudgeFixture {
    let folder = tempfile::tempdir().unwrap();
    let mut rule = rule("watched", when);
    rule.score = Some(score);
    let config: Config = config()
        .with_tenant(tenant("contoso", "http://127.0.0.1:1", folder.path()))
        .with_channel(channel("soc", "https://soc.example/"))
        .with_rule(rule);
    let mut polled = (*config.tenants[&tenant_id("contoso")]).clone();
    polled.scores = Arc::new([score]);
    JudgeFixture::new(config.with_tenant(polled))
}

fn drop_by(points: f64, days: u64) -> Condition {
    let within = Duration::from_hours(24 * days);
    Condition::Drop(Change { size: Size::Points(points), within, from: BaselineChoice::Best })
}

/// The record of a day counted from the midnight before the start.
fn day(number: i64) -> Timestamp {
    at((number * DAY) - 12 * 60)
}

fn records(values: &[(i64, f64)]) -> Fetched {
    let read = |&(number, value): &(i64, f64)| Reading {
        score: ScoreKind::SecureScore,
        subject: None,
        sample: Sample { at: day(number), value },
        points: None,
    };
    fetched(ScoreKind::SecureScore, values.iter().map(read).collect())
}

fn groups(now: Timestamp, values: &[(&str, f64)]) -> Fetched {
    let read = |&(name, value): &(&str, f64)| Reading {
        score: ScoreKind::ExposureScoreByGroup,
        subject: Some(Subject(name.into())),
        sample: Sample { at: now, value },
        points: None,
    };
    fetched(ScoreKind::ExposureScoreByGroup, values.iter().map(read).collect())
}

#[test]
fn one_record_asked_for_96_times_is_one_sample() {
    let mut fixture = watching(ScoreKind::SecureScore, drop_by(5.0, 2));
    for poll in 0..96 {
        fixture.check(&[records(&[(0, 60.0)])], at(poll * 15 - 12 * 60));
    }
    assert_eq!(fixture.record.as_ref().unwrap().series[0].window.len(), 1);
    // The next one comes late, and is judged once.
    assert_eq!(sent(&fixture.check(&[records(&[(1, 50.0), (0, 60.0)])], at(2 * DAY))), ["alert.firing to soc"]);
    assert_eq!(sent(&fixture.check(&[records(&[(1, 50.0), (0, 60.0)])], at(2 * DAY + 15))), [""; 0]);
    assert_eq!(fixture.record.as_ref().unwrap().series[0].window.len(), 2);
}

#[test]
fn history_at_onboarding_notifies_nobody_on_its_own() {
    let mut fixture = watching(ScoreKind::SecureScore, drop_by(5.0, 30));
    let history = [(0, 50.0), (-1, 50.0), (-2, 70.0), (-40, 90.0)];
    assert_eq!(sent(&fixture.check(&[records(&history)], at(0))), [""; 0]);
    assert_eq!(fixture.record.as_ref().unwrap().series[0].window.len(), 4);
    assert_eq!(
        sent(&fixture.check(&[records(&[(1, 50.0)])], at(DAY))),
        [""; 0],
        "nor does a day later what was lost before"
    );
    assert_eq!(sent(&fixture.check(&[records(&[(2, 45.0)])], at(2 * DAY))), ["alert.firing to soc"]);
}

#[test]
fn what_is_already_bad_at_onboarding_is_reported_once_from_the_newest_record() {
    let mut fixture = watching(ScoreKind::SecureScore, Condition::Below(55.0));
    assert_eq!(sent(&fixture.check(&[records(&[(0, 60.0), (-1, 50.0)])], at(0))), [""; 0]);
    assert_eq!(sent(&fixture.check(&[records(&[(2, 50.0), (1, 50.0)])], at(2 * DAY))), ["alert.firing to soc"]);
}

#[test]
fn a_daily_record_is_not_missing_between_two_days_but_an_overdue_one_is() {
    let mut fixture = watching(ScoreKind::SecureScore, Condition::NoData(minutes(6 * 60)));
    for quarter in 0..(60 * 4) {
        let now = at(quarter * 15);
        assert_eq!(sent(&fixture.check(&[records(&[(0, 60.0)])], now)), [""; 0], "{now}");
    }
    // Three days after the record's midnight it is overdue; six hours without data later, that is reported.
    assert_eq!(sent(&fixture.check(&[records(&[(0, 60.0)])], at(66 * 60))), ["alert.firing to soc"]);
    assert_eq!(sent(&fixture.check(&[records(&[(3, 60.0)])], at(67 * 60))), ["alert.resolved to soc"]);
}

#[test]
fn an_outage_is_over_when_the_same_record_is_read_again() {
    let mut fixture = watching(ScoreKind::SecureScore, Condition::NoData(minutes(60)));
    fixture.check(&[records(&[(0, 60.0)])], at(0));
    fixture.check(&[failed(ScoreKind::SecureScore, "microsoft-down")], at(15));
    assert_eq!(sent(&fixture.wake(60)), ["alert.firing to soc"]);
    assert_eq!(sent(&fixture.check(&[records(&[(0, 60.0)])], at(75))), ["alert.resolved to soc"]);
}

#[test]
fn a_subject_that_is_missing_once_stays_and_one_that_is_gone_closes_its_alerts() {
    let mut fixture = watching(ScoreKind::ExposureScoreByGroup, Condition::Above(50.0));
    let both = groups(at(0), &[("Clerks", 70.0), ("Servers", 10.0)]);
    assert_eq!(sent(&fixture.check(&[both], at(0))), ["alert.firing to soc"]);
    for quarter in 1..=96 {
        let now = at(quarter * 15);
        assert_eq!(sent(&fixture.check(&[groups(now, &[("Servers", 10.0)])], now)), [""; 0], "{now}");
    }
    let now = at(97 * 15);
    let over = fixture.check(&[groups(now, &[("Servers", 10.0)])], now);
    assert_eq!(sent(&over), ["alert.resolved to soc"]);
    let facts = &over.notifications[0].notification.data;
    assert_eq!(facts.score.as_ref().unwrap().subject.as_deref(), Some("Clerks"));
    assert_eq!(facts.alert.as_ref().unwrap().resolution, Some(Resolution::SubjectRemoved));
    let now = at(98 * 15);
    assert_eq!(
        sent(&fixture.check(&[groups(now, &[("Clerks", 70.0), ("Servers", 1.0)])], now)),
        ["alert.firing to soc"]
    );
}

#[test]
fn before_the_first_subject_is_read_the_score_itself_may_be_silent() {
    let mut fixture = watching(ScoreKind::ExposureScoreByGroup, Condition::NoData(minutes(60)));
    fixture.check(&[failed(ScoreKind::ExposureScoreByGroup, "no-data")], at(0));
    assert_eq!(sent(&fixture.wake(60)), ["alert.firing to soc"]);
    assert_eq!(sent(&fixture.check(&[groups(at(75), &[("Clerks", 1.0)])], at(75))), ["alert.resolved to soc"]);
    assert_eq!(sent(&fixture.wake(100)), [""; 0]);
}

#[test]
fn names_that_keep_changing_are_bounded_reported_and_forgotten() {
    const LIMIT: usize = 1_000;
    let mut fixture = watching(ScoreKind::ExposureScoreByGroup, Condition::Above(50.0));
    let mut were_reported = false;
    for poll in 0..300 {
        let now = at(poll * 15);
        let names: Vec<String> = (0..400).map(|number| format!("group {poll} {number}")).collect();
        let values: Vec<(&str, f64)> =
            names.iter().map(|name| (name.as_str(), 10.0)).chain([("Servers", 10.0)]).collect();
        fixture.check(&[groups(now, &values)], now);
        let record = fixture.record.as_ref().unwrap();
        assert!(record.series.len() <= LIMIT, "{} series after {poll} polls", record.series.len());
        let failing = record.health.failing.as_ref();
        were_reported |= failing.is_some_and(|failing| failing.class == "answer-too-large");
    }
    assert!(were_reported);
    // With names that stay, the others are gone a day later, and nobody is blind any more.
    for poll in 300..500 {
        let now = at(poll * 15);
        fixture.check(&[groups(now, &[("Clerks", 10.0), ("Servers", 10.0)])], now);
    }
    let record = fixture.record.as_ref().unwrap();
    assert_eq!((record.series.len(), &record.health.failing), (2, &None));
    let now = at(500 * 15);
    assert_eq!(sent(&fixture.check(&[groups(now, &[("Servers", 60.0)])], now)), ["alert.firing to soc"]);
}

#[test]
fn a_group_whose_value_is_impossible_is_not_gone_and_the_operator_is_notified() {
    let mut fixture = watching(ScoreKind::ExposureScoreByGroup, Condition::Above(50.0));
    let both = groups(at(0), &[("Clerks", 70.0), ("Servers", 10.0)]);
    assert_eq!(sent(&fixture.check(&[both], at(0))), ["alert.firing to soc"]);
    for quarter in 1..=200 {
        let now = at(quarter * 15);
        let failure = Failure { class: "garbage", hint: None };
        let partly = Some(Partly { failure, subjects: vec![Subject("Clerks".into())] });
        let outcome = fixture.check(&[Fetched { partly, ..groups(now, &[("Servers", 10.0)]) }], now);
        assert!(sent(&outcome).iter().all(|sent| !sent.contains("resolved")), "{now}");
    }
    assert_eq!(fixture.record.as_ref().unwrap().health.failing.as_ref().unwrap().class, "garbage");
}
