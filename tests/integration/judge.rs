//! What a check makes of what was known and fetched.

mod operator;

use std::sync::Arc;

use scorewatch::{
    config::{Config, Operator},
    domain::{Reading, ScoreKind, Subject},
    notify::{NotificationId, NotificationType},
    rule::{AlertState, Condition, Rule},
    store::{CheckOutcome, Downtime, Failing, Owed},
};

use super::{
    judge_fixture::{JudgeFixture, failed, fetched, good, kinds, sent},
    setup::{Build, SCORE, at, channel, channels, config, drop_of, minutes, reading, rule, tenant, tenant_id},
};

/// The tenant `contoso`, and the channels `soc` and `ops`.
fn base() -> Config {
    let folder = tempfile::tempdir().unwrap();
    config()
        .with_tenant(tenant("contoso", "http://127.0.0.1:1", folder.path()))
        .with_channel(channel("soc", "https://soc.example/"))
        .with_channel(channel("ops", "https://ops.example/"))
}

fn low() -> Config {
    base().with_rule(rule("low", Condition::Below(300.0)))
}

fn with_operator(config: Config) -> Config {
    Config { operator: Operator { notify: channels(&["ops"]), blind_after: minutes(120) }, ..config }
}

fn value_times(outcome: &CheckOutcome) -> Vec<(i64, f64)> {
    let window = &outcome.series[0].window;
    window.iter().map(|sample| ((sample.at.as_nanos() - at(0).as_nanos()) / 60_000_000_000, sample.value)).collect()
}

#[test]
fn a_tenants_first_check_onboards_it_and_reports_what_is_already_bad() {
    let outcome = JudgeFixture::new(low()).judge(&[good(250.0, at(0))], at(1));
    assert_eq!(outcome.expected_version, None);
    assert_eq!((outcome.health.first_seen_at, outcome.health.checked_at), (at(1), Some(at(1))));
    assert_eq!(outcome.health.next_due_at, at(16));
    assert_eq!(value_times(&outcome), [(0, 250.0)]);
    assert_eq!(sent(&outcome), ["alert.firing to soc"]);
    let new = &outcome.notifications[0];
    assert_eq!(new.tenant, Some(tenant_id("contoso")));
    let score = new.notification.data.score.as_ref().unwrap();
    assert_eq!((score.value, score.observed_at), (Some(250.0), Some(at(0))));
}

#[test]
fn a_drop_needs_a_first_reading_to_be_measured_against() {
    let mut fixture = JudgeFixture::new(base().with_rule(rule("drop", drop_of(5.0))));
    assert_eq!(sent(&fixture.read(0, 400.0)), [""; 0]);
    assert_eq!(sent(&fixture.read(15, 380.1)), [""; 0]);
    let fired = fixture.read(30, 380.0);
    assert_eq!(sent(&fired), ["alert.firing to soc"]);
    let score = fired.notifications[0].notification.data.score.as_ref().unwrap();
    assert_eq!((score.baseline, score.loss, score.loss_percent), (Some(400.0), Some(20.0), Some(5.0)));
    assert_eq!(sent(&fixture.read(45, 381.0)), ["alert.resolved to soc"]);
}

#[test]
fn each_score_is_judged_by_its_own_rules() {
    let mut config = low();
    let mut exposed = rule("exposed", Condition::Above(50.0));
    exposed.score = Some(ScoreKind::ExposureScore);
    config = config.with_rule(exposed);
    let mut both = (*config.tenants[&tenant_id("contoso")]).clone();
    both.scores = Arc::new([SCORE, ScoreKind::ExposureScore]);
    let fixture = JudgeFixture::new(config.with_tenant(both));
    let exposure = |value| Reading { score: ScoreKind::ExposureScore, ..reading(at(0), value) };
    for (device, exposed, expected) in [(400.0, 20.0, 0), (250.0, 20.0, 1), (400.0, 60.0, 1), (250.0, 60.0, 2)] {
        let both = [good(device, at(0)), fetched(ScoreKind::ExposureScore, vec![exposure(exposed)])];
        let outcome = fixture.judge(&both, at(0));
        assert_eq!(outcome.notifications.len(), expected, "{device} {exposed}");
        assert_eq!(outcome.series.len(), 2);
    }
    let half = fixture.judge(&[good(250.0, at(0)), failed(ScoreKind::ExposureScore, "licence-missing")], at(0));
    assert_eq!(sent(&half), ["alert.firing to soc"], "one score's failure is no other's");
    assert_eq!(half.health.failing.unwrap().class, "licence-missing");
}

#[test]
fn checks_fail_since_the_first_failure_and_by_the_newest_class() {
    let mut fixture = JudgeFixture::new(low());
    let failing = |since: i64, class: &str| {
        Some(Failing { since: at(since), class: class.to_owned(), hint: Some("mend it".to_owned()) })
    };
    assert_eq!(fixture.read(0, 400.0).health.failing, None);
    assert_eq!(fixture.fail(15, "throttled").health.failing, failing(15, "throttled"));
    assert_eq!(fixture.fail(30, "secret-expired").health.failing, failing(15, "secret-expired"));
    let woken = fixture.wake(31);
    assert_eq!(woken.health.failing, failing(15, "secret-expired"), "time alone changes nothing");
    assert_eq!(woken.health.checked_at, Some(at(30)));
    assert_eq!(fixture.read(45, 400.0).health.failing, None);
    assert_eq!(fixture.fail(60, "throttled").health.failing, failing(60, "throttled"));
}

#[test]
fn a_failed_fetch_neither_confirms_nor_clears() {
    let mut held = rule("held", Condition::Below(350.0));
    held.hold = minutes(30);
    let mut fixture = JudgeFixture::new(low().with_rule(held).with_rule(rule("drop", drop_of(5.0))));
    fixture.read(0, 400.0);
    let fired = fixture.read(15, 290.0);
    assert_eq!(fired.alerts.len(), 3);
    assert_eq!(kinds(&fired), [NotificationType::AlertFiring; 2]);
    for minute in [30, 45, 600] {
        let failed = fixture.fail(minute, "microsoft-down");
        assert!(failed.alerts.is_empty() && failed.notifications.is_empty() && failed.series.is_empty(), "{minute}");
    }
}

#[test]
fn a_fall_to_zero_is_reported_once_a_second_reading_confirms_it() {
    let mut fixture = JudgeFixture::new(low().with_rule(rule("drop", drop_of(5.0))));
    fixture.read(0, 400.0);
    assert_eq!(sent(&fixture.read(15, 0.0)), [""; 0]);
    assert_eq!(sent(&fixture.read(30, 400.0)), [""; 0], "it was none");
    assert_eq!(sent(&fixture.read(45, 0.0)), [""; 0]);
    assert_eq!(sent(&fixture.fail(60, "no-data")), [""; 0]);
    assert_eq!(sent(&fixture.read(75, 0.0)), ["alert.firing to soc"; 2]);
}

#[test]
fn a_reading_is_kept_under_its_sources_time_unless_that_can_not_be() {
    // Each: minute of the check, minute that the source says, minute kept.
    let table = [
        (0, -3, -3),     // the source's own
        (15, 12, 12),    //
        (30, 39, 39),    // a little ahead: believed
        (45, 56, 45),    // too far ahead: ours
        (60, 20, 60),    // gone back: ours
        (75, 20, 75),    // stands still: ours
        (90, 89, 89),    // right again
        (105, 999, 105), // far ahead
    ];
    let mut fixture = JudgeFixture::new(low());
    for (minute, says, kept) in table {
        let outcome = fixture.check(&[good(400.0, at(says))], at(minute));
        assert_eq!(value_times(&outcome).last(), Some(&(kept, 400.0)), "{minute}");
        assert!(outcome.series[0].window.is_sorted_by(|a, b| a.at < b.at));
    }
}

#[test]
fn a_source_whose_clock_stands_still_does_not_stop_a_rules_time() {
    let mut held = rule("held", Condition::Below(300.0));
    held.hold = minutes(30);
    let mut fixture = JudgeFixture::new(base().with_rule(held));
    let fired = [0, 15, 30].map(|minute| fixture.check(&[good(250.0, at(0))], at(minute)).notifications.len());
    assert_eq!(fired, [0, 0, 1]);
}

#[test]
fn judged_again_a_transition_has_the_same_id() {
    let mut fixture = JudgeFixture::new(low());
    fixture.read(0, 400.0);
    let ids = |minute: i64| -> Vec<NotificationId> {
        let outcome = fixture.judge(&[good(250.0, at(15))], at(minute));
        outcome.notifications.into_iter().map(|new| new.notification.data.facts.notification.id).collect()
    };
    assert_eq!(ids(15), ids(16));
    assert_eq!(ids(15).len(), 1);
    let first = ids(15);
    fixture.read(15, 250.0);
    fixture.read(30, 400.0);
    assert_ne!(
        first[0],
        fixture.read(45, 250.0).notifications[0].notification.data.notification.id,
        "another generation"
    );
}

#[test]
fn who_was_notified_of_the_beginning_and_is_still_routed_is_notified_of_the_end() {
    let to = |names: &[&str]| Rule { notify: channels(names), ..rule("low", Condition::Below(300.0)) };
    let mut fixture = JudgeFixture::new(base().with_channel(channel("new", "https://new.example/")));
    fixture.config.rules = vec![Arc::new(to(&["soc", "ops"]))];
    assert_eq!(sent(&fixture.read(0, 250.0)), ["alert.firing to soc+ops"]);
    fixture.config.rules = vec![Arc::new(to(&["new", "ops"]))];
    // `soc` has left the route, and `new` was not notified that it began.
    assert_eq!(sent(&fixture.read(15, 400.0)), ["alert.resolved to ops"]);
    assert_eq!(sent(&fixture.read(30, 250.0)), ["alert.firing to new+ops"]);
    for gone in ["new", "ops"] {
        fixture.config.channels.remove(gone);
    }
    assert_eq!(sent(&fixture.read(45, 400.0)), ["alert.resolved to "], "nobody is left to notify");
}

#[test]
fn a_tenants_own_channels_are_notified_too_each_once() {
    let mut config = low();
    let mut own = (*config.tenants[&tenant_id("contoso")]).clone();
    own.notify = channels(&["ops", "soc"]);
    config = config.with_tenant(own);
    assert_eq!(sent(&JudgeFixture::new(config).read(0, 250.0)), ["alert.firing to soc+ops"]);
}

#[test]
fn a_channel_with_an_audience_is_notified_of_its_own_tenants_only() {
    for (audience, expected) in [("contoso", "alert.firing to soc"), ("fabrikam", "alert.firing to ")] {
        let mut fenced = channel("soc", "https://soc.example/");
        fenced.audience.tenants = Some([tenant_id(audience)].into());
        assert_eq!(sent(&JudgeFixture::new(low().with_channel(fenced)).read(0, 250.0)), [expected]);
    }
}

#[test]
fn the_tenant_is_evaluated_again_when_the_first_of_its_alerts_asks() {
    let mut fixture = JudgeFixture::new(base());
    for (name, hours) in [("late", 9), ("soon", 6), ("later", 12)] {
        fixture.config = fixture.config.clone().with_rule(rule(name, Condition::NoData(minutes(hours * 60))));
    }
    assert_eq!(fixture.read(0, 400.0).health.wake_at, Some(at(360)));
    assert_eq!(fixture.fail(15, "throttled").health.wake_at, Some(at(360)));
    assert_eq!(fixture.wake(360).health.wake_at, Some(at(540)), "the next one's");
    assert_eq!(JudgeFixture::new(low()).read(0, 400.0).health.wake_at, None);
}

#[test]
fn reminders_follow_only_after_the_notification_was_delivered() {
    let mut reminding = rule("low", Condition::Below(300.0));
    reminding.repeat = Some(minutes(60));
    let mut fixture = JudgeFixture::new(base().with_rule(reminding));
    assert_eq!(fixture.read(0, 250.0).health.wake_at, None, "still on its way");
    assert_eq!(sent(&fixture.read(600, 250.0)), [""; 0], "still on its way");
    fixture.deliver(605);
    assert_eq!(fixture.wake(606).health.wake_at, Some(at(665)));
    assert_eq!(sent(&fixture.wake(664)), [""; 0]);
    assert_eq!(sent(&fixture.wake(665)), ["alert.reminder to soc"]);
    assert_eq!(sent(&fixture.wake(900)), [""; 0], "the reminder itself is on its way");
}

#[test]
fn several_readings_of_one_call_are_judged_one_after_the_other() {
    let mut config = low().with_channel(channel("new", "https://new.example/"));
    let mut fixture = JudgeFixture::new(config.clone());
    fixture.read(0, 250.0);
    let mut elsewhere = rule("low", Condition::Below(300.0));
    elsewhere.notify = channels(&["soc", "new"]);
    elsewhere.repeat = Some(minutes(1));
    config.rules = vec![Arc::new(elsewhere)];
    fixture.config = config;
    fixture.deliver(1);
    let values = [400.0, 250.0, 240.0, 400.0];
    let readings = (6..).zip(values).map(|(minute, value)| reading(at(minute), value)).collect();
    let outcome = fixture.check(&[fetched(SCORE, readings)], at(15));
    assert_eq!(value_times(&outcome), [(0, 250.0), (6, 400.0), (7, 250.0), (8, 240.0), (9, 400.0)]);
    // No reminder in between: nothing of the new generation has arrived yet.
    assert_eq!(sent(&outcome), ["alert.resolved to soc", "alert.firing to soc+new", "alert.resolved to soc+new"]);
    assert_eq!(outcome.alerts.len(), 1);
    assert_eq!(outcome.alerts[0].alert.state, AlertState::Inactive);
    assert_eq!((outcome.alerts[0].alert.generation, outcome.alerts[0].alert.sequence), (2, 2));
}

#[test]
fn subjects_are_series_of_their_own() {
    let of = |name: &str, value| Reading { subject: Some(Subject(name.into())), ..reading(at(0), value) };
    let outcome = JudgeFixture::new(low()).judge(&[fetched(SCORE, vec![of("a", 250.0), of("b", 400.0)])], at(0));
    assert_eq!(outcome.series.len(), 2);
    assert_eq!(sent(&outcome), ["alert.firing to soc"]);
    assert_eq!(outcome.alerts[0].subject, Some(Subject("a".into())));
}

#[test]
fn the_window_reaches_as_far_back_as_any_rule_looks() {
    assert_eq!(JudgeFixture::new(low()).judge(&[good(400.0, at(0))], at(0)).series[0].keep, minutes(30));
    let fixture = JudgeFixture::new(low().with_rule(rule("drop", drop_of(5.0))));
    assert_eq!(fixture.judge(&[good(400.0, at(0))], at(0)).series[0].keep, minutes(24 * 60 + 15));
}

#[test]
fn a_gap_is_reported_with_its_reason_and_ends_with_the_next_reading() {
    let mut fixture = JudgeFixture::new(base().with_rule(rule("blind", Condition::NoData(minutes(60)))));
    fixture.read(0, 400.0);
    fixture.fail(15, "throttled");
    assert_eq!(sent(&fixture.fail(45, "secret-expired")), [""; 0]);
    let fired = fixture.wake(60);
    assert_eq!(sent(&fired), ["alert.firing to soc"]);
    let alert = fired.notifications[0].notification.data.alert.as_ref().unwrap();
    assert_eq!(
        alert.reason.as_deref(),
        Some(
            "Checks have been failing since 2026-01-05 12:15 UTC: the app's credential has expired (secret-expired). Mend it."
        )
    );
    assert_eq!(alert.started_at, at(0));
    let score = fired.notifications[0].notification.data.score.as_ref().unwrap();
    assert_eq!(score.value, None);
    assert_eq!(sent(&fixture.read(75, 0.0)), ["alert.resolved to soc"], "data came, be it a zero to be confirmed");
}

#[test]
fn our_own_downtime_is_not_a_gap_in_the_tenants_data() {
    let mut fixture = JudgeFixture::new(base().with_rule(rule("blind", Condition::NoData(minutes(60)))));
    fixture.read(0, 400.0);
    fixture.downtimes = vec![Downtime { from: at(10), until: at(100) }];
    assert_eq!(fixture.fail(100, "throttled").health.wake_at, Some(at(150)));
    assert_eq!(sent(&fixture.wake(149)), [""; 0]);
    assert_eq!(sent(&fixture.wake(150)), ["alert.firing to soc"]);
}

#[test]
fn a_score_is_silent_only_since_it_is_polled() {
    let mut fixture = JudgeFixture::new(base());
    fixture.read(0, 400.0);
    let mut silent = rule("blind", Condition::NoData(minutes(60)));
    silent.score = None;
    let mut more = (*fixture.config.tenants[&tenant_id("contoso")]).clone();
    more.scores = Arc::new([SCORE, ScoreKind::ExposureScore]);
    fixture.config = fixture.config.clone().with_rule(silent).with_tenant(more);
    let week = 7 * 24 * 60;
    fixture.read(week - 15, 400.0);
    let half = |fixture: &mut JudgeFixture, minute| {
        let both = [good(400.0, at(minute)), failed(ScoreKind::ExposureScore, "licence-missing")];
        sent(&fixture.check(&both, at(minute)))
    };
    assert_eq!(sent(&fixture.wake(week - 1)), [""; 0]);
    assert_eq!(half(&mut fixture, week), [""; 0], "the first failure is no silence of a week");
    assert_eq!(half(&mut fixture, week + 45), [""; 0]);
    assert_eq!(half(&mut fixture, week + 60), ["alert.firing to soc"]);
}

#[test]
fn what_an_earlier_version_kept_quiet_is_said_once_at_the_next_visit() {
    let mut fixture = JudgeFixture::new(low());
    fixture.read(0, 400.0);
    assert_eq!(sent(&fixture.read(15, 280.0)), ["alert.firing to soc"]);
    fixture.deliver(16);
    fixture.record.as_mut().unwrap().alerts[0].owes = Some(Owed::Notification);
    let outcome = fixture.wake(17);
    assert_eq!(sent(&outcome), ["alert.reminder to soc"], "though the rule has no `repeat`");
    let score = outcome.notifications[0].notification.data.score.as_ref().unwrap();
    assert_eq!(score.value, Some(280.0));
    fixture.deliver(18);
    assert!(sent(&fixture.wake(19)).is_empty());
    assert!(sent(&fixture.read(30, 400.0))[0].starts_with("alert.resolved to soc"));
}
