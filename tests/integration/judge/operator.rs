//! What the operator is notified of.

use std::sync::Arc;

use scorewatch::{
    domain::ScoreKind,
    notify::notification::OperatorFacts,
    store::{CheckOutcome, Downtime, NewNotification},
};

use super::{
    super::{
        judge_fixture::{JudgeFixture, bad, failed, fetched, sent},
        setup::{Build, at, channels, reading, tenant_id},
    },
    base, low, with_operator,
};

fn operator_facts(new: &NewNotification) -> &OperatorFacts {
    new.notification.data.operator.as_ref().unwrap()
}

/// Whether the operator's alert began to fire. Who is notified is decided elsewhere.
fn goes_blind(outcome: &CheckOutcome) -> bool {
    assert_eq!(sent(outcome), [""; 0]);
    outcome.alerts.iter().any(|update| update.alert.is_firing())
}

#[test]
fn the_operator_is_notified_of_an_unreadable_tenant_and_of_its_recovery() {
    let mut fixture = JudgeFixture::new(with_operator(low()));
    fixture.read(0, 400.0);
    assert_eq!(fixture.fail(15, "throttled").health.wake_at, Some(at(135)), "blind_after from the first failed check");
    assert_eq!(sent(&fixture.fail(120, "consent-missing")), [""; 0]);
    let blind = fixture.wake(135);
    assert!(goes_blind(&blind));
    let alone = fixture.notify_alone(135).unwrap();
    assert_eq!(alone.channels, channels(&["ops"]));
    let facts = operator_facts(&alone);
    assert_eq!((facts.class.as_str(), facts.hint.as_deref()), ("consent-missing", Some("mend it")));
    assert_eq!((facts.from, facts.until), (Some(at(15)), None));
    assert!(!goes_blind(&fixture.fail(150, "consent-missing")), "once");
    assert_eq!(fixture.notify_alone(150), None, "once");
    assert_eq!(fixture.wake(151).health.wake_at, None);
    let again = fixture.read(165, 400.0);
    assert_eq!(sent(&again), ["operator.blind to ops"]);
    let facts = operator_facts(&again.notifications[0]);
    assert_eq!((facts.class.as_str(), facts.from, facts.until), ("recovered", Some(at(15)), Some(at(165))));
    assert_eq!(fixture.read(180, 400.0).health.wake_at, None);
}

#[test]
fn the_operators_clock_excludes_our_downtime_and_restarts_with_each_failure() {
    let mut fixture = JudgeFixture::new(with_operator(low()));
    fixture.fail(0, "throttled");
    fixture.read(110, 400.0);
    fixture.fail(125, "throttled");
    assert_eq!(sent(&fixture.fail(185, "throttled")), [""; 0]);
    fixture.downtimes = vec![Downtime { from: at(190), until: at(290) }];
    assert_eq!(sent(&fixture.fail(290, "throttled")), [""; 0]);
    assert!(goes_blind(&fixture.fail(345, "throttled")));
    assert_eq!(sent(&fixture.read(360, 400.0)), [""; 0], "an alert that nobody was notified of has no end to send");
}

#[test]
fn an_operators_alert_ends_though_the_list_of_scores_was_changed_meanwhile() {
    let mut fixture = JudgeFixture::new(with_operator(base()));
    fixture.fail(0, "throttled");
    assert!(goes_blind(&fixture.fail(120, "throttled")));
    assert!(fixture.notify_alone(120).is_some());
    let mut other = (*fixture.config.tenants[&tenant_id("contoso")]).clone();
    other.scores = Arc::new([ScoreKind::ExposureScore]);
    fixture.config = fixture.config.clone().with_tenant(other);
    let exposure = |value| fetched(ScoreKind::ExposureScore, vec![reading(at(0), value)]);
    assert_eq!(sent(&fixture.check(&[failed(ScoreKind::ExposureScore, "throttled")], at(135))), [""; 0], "once");
    assert_eq!(sent(&fixture.check(&[exposure(20.0)], at(150))), ["operator.blind to ops"]);
    assert_eq!(sent(&fixture.check(&[bad("throttled")], at(165))), [""; 0]);
}

#[test]
fn the_operator_is_notified_of_which_scores_can_not_be_read_while_others_are() {
    let mut fixture = JudgeFixture::new(with_operator(low()));
    let mut more = (*fixture.config.tenants[&tenant_id("contoso")]).clone();
    more.scores = Arc::new([ScoreKind::DeviceSecureScore, ScoreKind::SecureScore, ScoreKind::ExposureScore]);
    fixture.config = fixture.config.clone().with_tenant(more);
    let mut check = |minute, secure: bool| {
        let read = |kind, value| fetched(kind, vec![reading(at(minute), value)]);
        let secure_score =
            if secure { read(ScoreKind::SecureScore, 50.0) } else { failed(ScoreKind::SecureScore, "no-data") };
        let answers =
            [read(ScoreKind::DeviceSecureScore, 400.0), secure_score, failed(ScoreKind::ExposureScore, "throttled")];
        goes_blind(&fixture.check(&answers, at(minute)));
        fixture.notify_alone(minute).map(|new| operator_facts(&new).summary.clone())
    };
    assert_eq!(check(0, false), None);
    assert_eq!(check(60, true), None);
    assert_eq!(check(120, true).as_deref(), Some("1 of 3 scores can't be read (exposure score)"));
}
