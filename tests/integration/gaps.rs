//! Times without readings: outages, our own downtime, pauses of the schedule, clocks that are set back, tenants that come back.

mod later_rule;

use std::{sync::Arc, time::Duration};

use scorewatch::{
    check::judge::Fetched,
    config::Config,
    domain::{Reading, Sample, ScoreKind, Subject, Timestamp},
    notify::notification::Facts,
    rule::{Alert, AlertState, Condition, Escalated, Firing, Gap, Rule, Terms},
    schedule::Schedule,
    store::{AlertRecord, CheckOutcome, Downtime},
};

use super::{
    fixture::Fixture,
    judge_fixture::{JudgeFixture, bad, failed, fetched, good, sent},
    setup::{Build, SCORE, at, channel, channels, config, drop_of, minutes, reading, rule, tenant},
};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// The tenant `contoso`, checked by that schedule for these scores, with that rule, which notifies `soc`.
fn watching(schedule: &str, scores: &[ScoreKind], rule: Rule) -> JudgeFixture {
    let folder = tempfile::tempdir().unwrap();
    let mut tenant = tenant("contoso", "http://127.0.0.1:1", folder.path());
    tenant.schedule = Arc::new(Schedule::parse(schedule, "UTC".parse().unwrap()).unwrap());
    tenant.scores = scores.into();
    let config: Config = config()
        .with_tenant(tenant)
        .with_channel(channel("soc", "https://soc.example/"))
        .with_channel(channel("siem", "https://siem.example/"))
        .with_rule(rule);
    JudgeFixture::new(config)
}

fn polled(rule: Rule) -> JudgeFixture {
    watching("0 */15 * * * *", &[SCORE], rule)
}

fn no_data(hours: u64, score: Option<ScoreKind>) -> Rule {
    Rule { score, ..rule("blind", Condition::NoData(Duration::from_hours(hours))) }
}

/// Fires for want of data, as an older version kept it.
fn silent_since(since: Timestamp, terms: Terms) -> Firing {
    let (baseline, worst_notified, worst_seen, worst_before, gap) = (None, None, None, None, None);
    let (fired_at, taken_back, unread) = (since, 0, Vec::new());
    let (measured_at, worst_notified_at, worst_before_at) = (None, None, None);
    Firing {
        since,
        fired_at,
        terms,
        baseline,
        worst_notified,
        worst_seen,
        worst_before,
        taken_back,
        end_taken_back: 0,
        gap,
        unread,
        measured_at,
        worst_notified_at,
        worst_before_at,
        escalated: Escalated::default(),
    }
}

fn facts(outcome: &CheckOutcome) -> &Facts {
    &outcome.notifications[0].notification.data
}

#[test]
fn a_fall_across_an_outage_longer_than_the_window_is_reported_with_its_gap() {
    let mut fixture = polled(rule("drop", drop_of(5.0)));
    fixture.read(0, 400.0);
    for quarter in 1..100 {
        fixture.fail(quarter * 15, "microsoft-down");
    }
    let fired = fixture.read(1500, 200.0);
    assert_eq!(sent(&fired), ["alert.firing to soc"]);
    let score = facts(&fired).score.as_ref().unwrap();
    assert_eq!((score.baseline, score.gap), (Some(400.0), Some(Gap { from: at(0), until: at(1500) })));
    let reason = facts(&fired).alert.as_ref().unwrap().reason.as_deref();
    let expected = "There were no readings between 2026-01-05 12:00 UTC and 2026-01-06 13:00 UTC: the change happened in that time.";
    assert_eq!(reason, Some(expected));
}

#[test]
fn a_fall_across_our_own_downtime_is_reported_and_for_continues_from_the_first_reading_after_it() {
    let mut held = rule("drop", drop_of(5.0));
    held.hold = minutes(60);
    let mut fixture = polled(held);
    fixture.read(0, 400.0);
    fixture.downtimes = vec![Downtime { from: at(1), until: at(3 * DAY) }];
    assert_eq!(sent(&fixture.read(3 * DAY + 15, 200.0)), [""; 0]);
    for minute in [30, 45, 60] {
        assert_eq!(sent(&fixture.read(3 * DAY + minute, 200.0)), [""; 0]);
    }
    let fired = fixture.read(3 * DAY + 75, 200.0);
    assert_eq!(sent(&fired), ["alert.firing to soc"]);
    let score = facts(&fired).score.as_ref().unwrap();
    assert_eq!((score.baseline, score.gap.map(|gap| gap.until)), (Some(400.0), Some(at(3 * DAY + 15))));
}

#[test]
fn for_starts_again_after_more_than_three_failed_checks_and_not_after_a_pause() {
    let held = |hours| Rule { hold: Duration::from_hours(hours), ..rule("low", Condition::Below(300.0)) };
    // Three checks failed, then four.
    let mut fixture = polled(held(2));
    fixture.read(0, 250.0);
    for minute in [15, 30, 45] {
        fixture.fail(minute, "throttled");
    }
    fixture.read(60, 250.0);
    assert_eq!(sent(&fixture.read(120, 250.0)), ["alert.firing to soc"]);
    let mut fixture = polled(held(2));
    fixture.read(0, 250.0);
    for minute in [15, 30, 45, 60] {
        fixture.fail(minute, "throttled");
    }
    fixture.read(75, 250.0);
    assert_eq!(sent(&fixture.read(120, 250.0)), [""; 0], "it began again at 75 minutes");
    // Business hours: the night is not a gap. 12:00 is when the tests begin.
    let mut fixture = watching("0 0 8-17 * * *", &[SCORE], held(20));
    fixture.read(0, 250.0);
    for hour in 1..=5 {
        fixture.read(hour * HOUR, 250.0);
    }
    assert_eq!(sent(&fixture.read(20 * HOUR, 250.0)), ["alert.firing to soc"], "08:00 on the next day");
    // Our own downtime is none either.
    let mut fixture = polled(held(20));
    fixture.read(0, 250.0);
    fixture.downtimes = vec![Downtime { from: at(1), until: at(19 * HOUR) }];
    assert_eq!(sent(&fixture.read(20 * HOUR, 250.0)), ["alert.firing to soc"]);
}

#[test]
fn a_daily_schedule_is_not_a_lack_of_data_until_a_check_fails() {
    let mut fixture = watching("0 0 0 * * *", &[SCORE], no_data(6, None));
    for day in 0..5 {
        assert_eq!(sent(&fixture.read(12 * HOUR + day * DAY, 400.0)), [""; 0]);
        let wake_at = fixture.record.as_ref().unwrap().health.wake_at.unwrap();
        assert_eq!(wake_at, at(12 * HOUR + (day + 1) * DAY + HOUR), "an hour after the next check is due");
        assert_eq!(sent(&fixture.wake(12 * HOUR + day * DAY + 7 * HOUR)), [""; 0]);
    }
    let fired = fixture.fail(12 * HOUR + 5 * DAY, "microsoft-down");
    assert_eq!(sent(&fired), ["alert.firing to soc"], "the later of six hours and a failed check");
    // A check that never comes counts as missed an hour after it was due.
    let mut fixture = watching("0 0 0 * * *", &[SCORE], no_data(6, None));
    fixture.read(12 * HOUR, 400.0);
    assert_eq!(sent(&fixture.wake(37 * HOUR - 1)), [""; 0]);
    assert_eq!(sent(&fixture.wake(37 * HOUR)), ["alert.firing to soc"]);
}

#[test]
fn a_pause_overnight_and_our_own_downtime_never_fire_no_data() {
    let mut fixture = watching("0 */15 8-17 * * MON-FRI", &[SCORE], no_data(6, None));
    // Monday, 12:00 to 17:45.
    for quarter in 0..24 {
        fixture.read(quarter * 15, 400.0);
    }
    for hour in 6..20 {
        assert_eq!(sent(&fixture.wake(hour * HOUR)), [""; 0], "{hour}");
    }
    assert_eq!(sent(&fixture.read(20 * HOUR, 400.0)), [""; 0]);
    let mut fixture = polled(no_data(6, None));
    fixture.read(0, 400.0);
    fixture.downtimes = vec![Downtime { from: at(1), until: at(40 * HOUR) }];
    assert_eq!(sent(&fixture.wake(40 * HOUR)), [""; 0]);
    assert_eq!(sent(&fixture.fail(40 * HOUR + 1, "throttled")), [""; 0]);
    assert_eq!(sent(&fixture.wake(46 * HOUR - 2)), [""; 0]);
    assert_eq!(sent(&fixture.wake(46 * HOUR)), ["alert.firing to soc"], "six hours of our own time");
}

const ALL: [ScoreKind; 5] = ScoreKind::ALL;

fn answers(minute: i64, of: impl Fn(ScoreKind) -> Option<&'static str>) -> Vec<Fetched> {
    let answer = |score: ScoreKind| {
        if let Some(class) = of(score) {
            failed(score, class)
        } else {
            let subjects: &[&str] = if score.has_subjects() { &["a", "b", "c"] } else { &[""] };
            let of_subject = |name: &&str| Reading {
                score,
                subject: score.has_subjects().then(|| Subject((*name).into())),
                sample: Sample { at: at(minute), value: 50.0 },
                points: None,
            };
            fetched(score, subjects.iter().map(of_subject).collect())
        }
    };
    ALL.into_iter().map(answer).collect()
}

/// How the scores of Defender are named together.
const DEFENDER: &str =
    "Device secure score, exposure score, exposure score by device group: checks have been failing since";

#[test]
fn one_unreadable_tenant_is_one_message_that_lists_each_score_with_its_own_cause() {
    let mut fixture = watching("0 */15 * * * *", &ALL, no_data(1, None));
    fixture.check(&answers(0, |_| None), at(0));
    let defender = |score: ScoreKind| match score {
        ScoreKind::SecureScore | ScoreKind::SecureScoreCategory => Some("role-missing"),
        _ => Some("licence-missing"),
    };
    let mut lines = Vec::new();
    for quarter in 1..=8 {
        let outcome = fixture.check(&answers(quarter * 15, defender), at(quarter * 15));
        lines.extend(sent(&outcome));
        if let Some(new) = outcome.notifications.first() {
            let data = &new.notification.data;
            let causes: Vec<_> = data.no_data.iter().map(|one| (one.kind, one.class.as_deref().unwrap())).collect();
            assert_eq!(causes, ALL.map(|score| (score, defender(score).unwrap())));
            let score = data.score.as_ref().unwrap();
            assert_eq!((score.value, score.all), (None, true));
            let reason = data.alert.as_ref().unwrap().reason.clone().unwrap();
            assert!(reason.starts_with(DEFENDER), "{reason}");
            assert!(
                reason.contains("Secure score, secure score by category: checks have been failing since"),
                "{reason}"
            );
            assert!(reason.contains("(licence-missing)") && reason.contains("(role-missing)"), "{reason}");
        }
    }
    assert_eq!(lines, ["alert.firing to soc"]);
    // Half of it comes back; it is over with the other half.
    let graph = |score| defender(score).filter(|class| *class == "role-missing");
    assert_eq!(sent(&fixture.check(&answers(150, graph), at(150))), [""; 0]);
    assert_eq!(sent(&fixture.check(&answers(165, |_| None), at(165))), ["alert.resolved to soc"]);
}

#[test]
fn a_rule_on_one_score_names_the_cause_of_that_score() {
    let mut fixture = watching("0 */15 * * * *", &ALL, no_data(1, Some(ScoreKind::SecureScore)));
    fixture.check(&answers(0, |_| None), at(0));
    let class =
        |score: ScoreKind| Some(if score == ScoreKind::SecureScore { "role-missing" } else { "licence-missing" });
    fixture.check(&answers(15, class), at(15));
    let fired = fixture.wake(60);
    let data = facts(&fired);
    let reason = data.alert.as_ref().unwrap().reason.clone().unwrap();
    assert!(reason.contains("(role-missing)") && !reason.contains("licence"), "{reason}");
    let score = data.score.as_ref().unwrap();
    assert_eq!((score.kind, score.all, data.no_data.len()), (ScoreKind::SecureScore, false, 1));
}

#[test]
fn a_subject_that_is_gone_is_not_a_lack_of_data() {
    let mut fixture = watching("0 */15 * * * *", &[ScoreKind::ExposureScoreByGroup], no_data(1, None));
    let groups = |minute: i64, names: &[&str]| {
        let of = |name: &&str| Reading {
            score: ScoreKind::ExposureScoreByGroup,
            subject: Some(Subject((*name).into())),
            sample: Sample { at: at(minute), value: 20.0 },
            points: None,
        };
        fetched(ScoreKind::ExposureScoreByGroup, names.iter().map(of).collect())
    };
    fixture.check(&[groups(0, &["a", "b"])], at(0));
    for quarter in 1..20 {
        let minute = quarter * 15;
        assert_eq!(sent(&fixture.check(&[groups(minute, &["b"])], at(minute))), [""; 0], "{minute}");
    }
}

#[test]
fn alerts_of_an_older_store_become_one_per_tenant_and_nobody_is_notified_twice() {
    let mut fixture = watching("0 */15 * * * *", &[SCORE, ScoreKind::ExposureScore], no_data(1, None));
    fixture.config.rules = vec![Arc::new(Rule { notify: channels(&["soc"]), ..no_data(1, None) })];
    let both = |minute: i64| {
        let exposure = Reading { score: ScoreKind::ExposureScore, ..reading(at(minute), 20.0) };
        [good(400.0, at(minute)), fetched(ScoreKind::ExposureScore, vec![exposure])]
    };
    fixture.check(&both(0), at(0));
    let failing = [bad("throttled"), failed(ScoreKind::ExposureScore, "throttled")];
    fixture.check(&failing, at(15));
    let terms = Terms { when: Condition::NoData(minutes(60)), recover: None };
    for score in [SCORE, ScoreKind::ExposureScore] {
        let firing = silent_since(at(0), terms);
        fixture.record.as_mut().unwrap().alerts.push(AlertRecord {
            rule: fixture.config.rules[0].name.clone(),
            score: Some(score),
            subject: None,
            alert: Alert { state: AlertState::Firing(firing), generation: 1, sequence: 1, ..Alert::default() },
            sendable_since: None,
            outgrows_acknowledgement: false,
            can_be_withdrawn: false,
            notified_at: Some(at(61)),
            notified_channels: channels(&["soc"]),
            acknowledged: None,
            shift: None,
            owes: None,
        });
    }
    let replaced = fixture.check(&failing, at(75));
    assert_eq!(sent(&replaced), [""; 0]);
    let states: Vec<_> = replaced.alerts.iter().map(|update| (update.score, update.alert.is_firing())).collect();
    assert_eq!(states, [(None, true), (Some(SCORE), false), (Some(ScoreKind::ExposureScore), false)]);
    let inherited = replaced.alerts[0].inherits.as_ref().unwrap();
    assert_eq!((&inherited.notified_channels, inherited.notified_at), (&channels(&["soc"]), Some(at(61))));
    assert_eq!(sent(&fixture.check(&failing, at(90))), [""; 0]);
    assert_eq!(sent(&fixture.check(&both(105), at(105))), ["alert.resolved to soc"]);
}

#[test]
fn for_and_windows_go_on_when_the_clock_is_set_back() {
    for back in [10, 3 * HOUR, 365 * DAY] {
        let held = Rule { hold: minutes(60), ..rule("low", Condition::Below(300.0)) };
        let mut fixture = polled(held);
        fixture.config = fixture.config.clone().with_rule(rule("drop", drop_of(5.0)));
        fixture.read(0, 400.0);
        fixture.read(15, 400.0);
        let now = |minute: i64| 30 - back + minute;
        let mut lines = Vec::new();
        for minute in [0, 15, 30, 45, 60, 75, 90] {
            lines.extend(sent(&fixture.read(now(minute), 250.0)).into_iter().map(|line| format!("{minute} {line}")));
        }
        assert_eq!(lines, ["0 alert.firing to soc", "60 alert.firing to soc"], "{back} minutes");
        // A day of readings later the window has moved on.
        for quarter in 0..100 {
            fixture.read(now(105 + quarter * 15), 250.0);
        }
        let window = &fixture.record.as_ref().unwrap().series[0].window;
        let (first, last) = (window[2].at, window[window.len() - 1].at);
        assert!(last.since(first) >= Duration::from_hours(25), "{back} minutes: {}", last.since(first).as_secs());
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_prevent_a_no_data_alert() {
    for back in [10, 3 * HOUR, 365 * DAY] {
        let mut fixture = polled(no_data(6, None));
        fixture.read(0, 400.0);
        let now = |minute: i64| 15 - back + minute;
        assert_eq!(sent(&fixture.fail(now(0), "throttled")), [""; 0]);
        for quarter in 1..24 {
            assert_eq!(sent(&fixture.fail(now(quarter * 15), "throttled")), [""; 0], "{back} {quarter}");
        }
        let fired = fixture.fail(now(360), "throttled");
        assert_eq!(sent(&fired), ["alert.firing to soc"], "{back} minutes");
        assert_eq!(sent(&fixture.read(now(375), 400.0)), ["alert.resolved to soc"], "{back} minutes");
    }
}

#[test]
fn a_tenant_that_is_added_again_has_no_gap_for_the_time_in_between() {
    let mut fixture = polled(no_data(6, None));
    fixture.config = fixture.config.clone().with_rule(rule("drop", drop_of(5.0)));
    fixture.read(0, 400.0);
    fixture.fail(15, "throttled");
    fixture.record.as_mut().unwrap().health.watched_since = Some(at(30 * DAY));
    let first = fixture.fail(30 * DAY, "throttled");
    assert_eq!(sent(&first), [""; 0]);
    assert_eq!(first.health.failing.as_ref().unwrap().since, at(30 * DAY));
    assert_eq!(sent(&fixture.wake(30 * DAY + 6 * HOUR - 1)), [""; 0]);
    assert_eq!(sent(&fixture.fail(30 * DAY + 6 * HOUR, "throttled")), ["alert.firing to soc"]);
    // Its history is still its baseline.
    let back = fixture.read(30 * DAY + 6 * HOUR + 15, 200.0);
    assert_eq!(sent(&back), ["alert.firing to soc", "alert.resolved to soc"]);
}

#[test]
fn a_reminder_says_when_the_value_is_between_its_thresholds_or_can_not_be_read() {
    let mut low = rule("low", Condition::Below(300.0));
    low.recover = Some(scorewatch::rule::Recover::Above(320.0));
    low.repeat = Some(minutes(60));
    let mut fixture = polled(low);
    fixture.read(0, 290.0);
    fixture.deliver(0);
    let reason = |outcome: &CheckOutcome| facts(outcome).alert.as_ref().unwrap().reason.clone();
    let plain = fixture.read(60, 290.0);
    assert_eq!((sent(&plain), reason(&plain)), (vec!["alert.reminder to soc".to_owned()], None));
    fixture.deliver(60);
    let between = fixture.read(120, 310.0);
    assert!(reason(&between).unwrap().starts_with("The condition no longer holds, but"), "{between:?}");
    fixture.deliver(120);
    let unread = fixture.fail(180, "secret-expired");
    let said = reason(&unread).unwrap();
    assert!(
        said.starts_with("The last reading is from 2026-01-05 14:00 UTC. Checks have been failing since"),
        "{said}"
    );
}
