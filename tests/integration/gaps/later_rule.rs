//! A rule that is added later: it sees what the store has kept, and takes nothing for a baseline that was imported.

use std::time::Duration;

use scorewatch::{
    domain::{Reading, Sample, ScoreKind},
    rule::{BaselineChoice, Change, Condition, Rule, Size},
};

use super::{Build, DAY, Fixture, HOUR, at, config, drop_of, fetched, rule, sent, watching};

fn drop_within(days: u64) -> Condition {
    let within = Duration::from_hours(24 * days);
    Condition::Drop(Change { size: Size::Percent(5.0), within, from: BaselineChoice::Best })
}

#[tokio::test]
async fn a_rule_that_is_added_today_sees_what_the_store_has_kept() {
    let fixture = Fixture::new().await;
    let base = config()
        .with_tenant(fixture.tenant("contoso", 400.0))
        .with_channel(fixture.channel("soc"))
        .with_rule(rule("drop", drop_of(5.0)));
    fixture.visit(&base).await;
    fixture.set_score("contoso", 390.0);
    for _ in 0..8 {
        fixture.pass(24 * 60);
        fixture.visit(&base).await;
    }
    assert!(fixture.record("contoso").await.unwrap().series[0].window.len() < 9, "the oldest were archived");
    fixture.pass(24 * 60);
    fixture.set_score("contoso", 375.0);
    // From 400, nine days ago, 375 is a fall of more than 5 %.
    let longer = base.with_rule(rule("slide", drop_within(30)));
    fixture.visit(&longer).await;
    assert_eq!(fixture.queued().await, ["alert.firing to soc"]);
    assert_eq!(fixture.record("contoso").await.unwrap().series[0].window.len(), 10, "and it is kept from now on");
}

#[test]
fn what_was_imported_at_onboarding_is_not_a_baseline_of_a_rule_that_is_added_later() {
    let day = |number: i64| at(number * DAY - 12 * HOUR);
    let records = |values: &[(i64, f64)]| {
        let read = |&(number, value): &(i64, f64)| Reading {
            score: ScoreKind::SecureScore,
            subject: None,
            sample: Sample { at: day(number), value },
            points: None,
        };
        fetched(ScoreKind::SecureScore, values.iter().map(read).collect())
    };
    let of_score =
        |name: &str, days: u64| Rule { score: Some(ScoreKind::SecureScore), ..rule(name, drop_within(days)) };
    let mut watched = watching("0 0 * * * *", &[ScoreKind::SecureScore], of_score("drop", 2));
    watched.check(&[records(&[(0, 50.0), (-1, 50.0), (-20, 90.0)])], at(0));
    watched.check(&[records(&[(1, 50.0)])], at(DAY));
    watched.config = watched.config.clone().with_rule(of_score("slide", 60));
    assert_eq!(sent(&watched.check(&[records(&[(2, 50.0)])], at(2 * DAY))), [""; 0]);
    assert_eq!(sent(&watched.check(&[records(&[(3, 45.0)])], at(3 * DAY))), ["alert.firing to soc"; 2]);
}
