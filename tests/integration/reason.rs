//! Asking why: it delays an alert by so much and no more, never prevents one, and is done once.

use std::{sync::Arc, time::Duration};

use scorewatch::{
    check::{close, due::Turn, plan::Plan, reason::REASON_WITHIN},
    config::{Config, Tenant},
    domain::{Impact, ScoreKind},
    microsoft::{Account, Hosts},
    rule::{BaselineChoice, Change, Condition, Rule, Size},
    simulation::Reply,
};
use serde_json::{Value, json};

use super::{
    fixture::Fixture,
    setup::{Build, at, channels, config, drop_of, entra, rule, tenant_id},
};
use crate::harness::{by_ann, event};

const ROLES: [&str; 2] = ["Score.Read.All", "SecurityRecommendation.Read.All"];

fn low(fixture: &Fixture) -> Config {
    fixture.cloud.set_roles(entra("contoso"), &ROLES);
    let recommendation = json!({ "id": "sca-_-1", "recommendationName": "Do it", "remediationType": "ConfigurationChange", "configScoreImpact": 5, "exposedMachinesCount": 1 });
    fixture.cloud.set_recommendations(entra("contoso"), vec![recommendation]);
    config().with_channel(fixture.channel("soc")).with_rule(rule("low", Condition::Below(300.0)))
}

/// What the newest notification says: its explanation, and the titles of its causes.
async fn explained(fixture: &Fixture) -> (String, Vec<String>) {
    let newest = fixture.deliveries().await.pop().unwrap();
    let data = fixture.store.delivery(newest.id).await.unwrap().unwrap().notification.data;
    (data.facts.explanation.unwrap_or_default(), data.causes.into_iter().map(|cause| cause.title).collect())
}

#[tokio::test]
async fn an_alert_is_committed_with_its_causes_and_what_is_remembered_of_them() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("contoso", 250.0);
    let config = low(&fixture).with_tenant(tenant);
    fixture.visit(&config).await;
    assert_eq!(explained(&fixture).await.1, ["Do it"]);
    let kept = fixture.store.recommendations(&tenant_id("contoso")).await.unwrap();
    assert_eq!(kept.iter().map(|kept| (kept.impact, kept.rows.len())).collect::<Vec<_>>(), [(Impact::DeviceScore, 1)]);
    assert!(fixture.store.recommendations(&tenant_id("fabrikam")).await.unwrap().is_empty());
    fixture.pass(15);
    fixture.set_score("contoso", 400.0);
    fixture.visit(&config).await;
    assert_eq!(explained(&fixture).await, (String::new(), Vec::new()), "what is over needs no reason");
    assert_eq!(fixture.cloud.tenant_counts(entra("contoso")).guidance_requests, 1);
}

#[tokio::test]
async fn an_answer_that_does_not_come_delays_the_alert_by_its_limit_and_no_more() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("contoso", 250.0);
    let config = low(&fixture).with_tenant(tenant);
    fixture.cloud.set_guidance(entra("contoso"), Some(Reply::hang()));
    let late = async {
        fixture.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).guidance_requests == 1).await;
        fixture.clock.advance(REASON_WITHIN);
    };
    assert!(
        event(Box::pin(async { tokio::join!(fixture.visit(&config), late) })).await.is_some(),
        "the visit never ends"
    );
    assert_eq!(fixture.queued().await, ["alert.firing to soc"]);
    assert_eq!(explained(&fixture).await.0, "What regressed could not be looked up: Microsoft did not answer in time.");
}

#[tokio::test]
async fn shutdown_ends_the_asking_and_the_alert_is_kept() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("contoso", 250.0);
    let config = low(&fixture).with_tenant(tenant);
    fixture.cloud.set_guidance(entra("contoso"), Some(Reply::hang()));
    let stop = async {
        fixture.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).guidance_requests == 1).await;
        fixture.shutdown.cancel();
    };
    assert!(
        event(Box::pin(async { tokio::join!(fixture.visit(&config), stop) })).await.is_some(),
        "the visit never ends"
    );
    assert_eq!(fixture.queued().await, ["alert.firing to soc"]);
    assert!(explained(&fixture).await.0.contains("about to stop"));
}

#[tokio::test]
async fn answers_that_make_no_sense_prevent_no_alert() {
    for (reply, why) in [
        (Reply::json(200, "[]"), "not a JSON object"),
        (Reply::json(200, "{\"value\": [[[["), "can't be read"),
        (Reply::status(400), "HTTP 400"),
        (Reply::gzip_bomb(), "no answer from the API"),
        (Reply::json(429, "{}").retry_after("7"), "throttles our requests"),
    ] {
        let fixture = Fixture::new().await;
        let tenant = fixture.tenant("contoso", 250.0);
        let config = low(&fixture).with_tenant(tenant);
        fixture.cloud.set_guidance(entra("contoso"), Some(reply));
        fixture.visit(&config).await;
        assert_eq!(fixture.queued().await, ["alert.firing to soc"]);
        let (explanation, causes) = explained(&fixture).await;
        assert!(explanation.contains(why) && causes.is_empty(), "{explanation}");
        assert!(fixture.store.recommendations(&tenant_id("contoso")).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn all_alerts_of_a_visit_share_one_answer_and_a_conflict_does_not_ask_again() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("contoso", 400.0);
    let config = low(&fixture).with_tenant(tenant).with_rule(rule("drop", drop_of(5.0)));
    fixture.visit(&config).await;
    fixture.pass(15);
    fixture.set_score("contoso", 310.0);
    fixture.visit(&config).await;
    assert_eq!(fixture.cloud.tenant_counts(entra("contoso")).guidance_requests, 1);
    let known = fixture.record("contoso").await;
    let row = fixture.firing().await.pop().unwrap();
    let busy =
        close::accept(fixture.store.as_ref(), &config, &row, Some("ana"), &by_ann(fixture.clock.now())).await.unwrap();
    assert_eq!(busy, Some(channels(&["soc"])));
    fixture.pass(15);
    fixture.set_score("contoso", 250.0);
    let plan = Plan::new(std::sync::Arc::new(config.clone()));
    let turn = Turn::Check { due_at: fixture.clock.now() };
    let (checker, tenant) = (fixture.checker(), &config.tenants[&tenant_id("contoso")]);
    checker.visit(&plan, tenant, turn, known, &fixture.shutdown).await.unwrap().unwrap();
    assert_eq!(
        fixture.cloud.tenant_counts(entra("contoso")).guidance_requests,
        2,
        "one more, though it was judged twice"
    );
    assert_eq!(explained(&fixture).await.1, ["Do it"]);
}

/// `contoso` with these scores, also of Graph, and one rule on the first of them.
fn watched(fixture: &Fixture, scores: &[ScoreKind], when: Condition) -> Config {
    let config = low(fixture);
    let tenant = fixture.tenant("contoso", 400.0);
    fixture.cloud.set_roles(entra("contoso"), &[ROLES[0], ROLES[1], "SecurityEvents.Read.All"]);
    let hosts = Hosts { graph: fixture.cloud.base_url(), ..(*tenant.account.hosts).clone() };
    let account = Account { hosts: Arc::new(hosts), ..tenant.account };
    let watched = Rule { score: Some(scores[0]), ..rule("watched", when) };
    Config { rules: Vec::new(), ..config }
        .with_tenant(Tenant { scores: scores.into(), account, ..tenant })
        .with_rule(watched)
}

/// What Defender recommends: name, kind, what the exposure score could fall by, exposed devices.
fn recommend(fixture: &Fixture, list: &[(&str, &str, f64, u64)]) {
    let item = |&(name, kind, impact, exposed): &(&str, &str, f64, u64)| {
        json!({
            "id": name, "recommendationName": name, "remediationType": kind, "configScoreImpact": 1, "exposureImpact": impact,
            "exposedMachinesCount": exposed, "totalMachineCount": 40,
        })
    };
    fixture.cloud.set_recommendations(entra("contoso"), list.iter().map(item).collect());
}

#[tokio::test]
async fn an_exposure_that_rises_names_what_weighs_in_exposure_and_then_what_changed() {
    let fixture = Fixture::new().await;
    let config = watched(&fixture, &[ScoreKind::ExposureScore], Condition::Above(50.0));
    recommend(
        &fixture,
        &[("Update x", "Update", 9.0, 5), ("Set y", "ConfigurationChange", 2.0, 5), ("Idle", "Update", 0.0, 1)],
    );
    fixture.cloud.set_score(entra("contoso"), ScoreKind::ExposureScore, 60.0);
    fixture.visit(&config).await;
    let (explanation, causes) = explained(&fixture).await;
    assert_eq!(causes, ["Update x", "Set y"], "software counts for exposure, too");
    assert!(explanation.starts_with("There is no earlier list of recommendations to compare with"), "{explanation}");
    assert!(!explanation.contains("whole tenant"), "{explanation}");
    let kept = fixture.store.recommendations(&tenant_id("contoso")).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|kept| (kept.impact, kept.rows.len())).collect();
    assert_eq!(kept, [(Impact::DeviceScore, 1), (Impact::Exposure, 3)], "the whole list was read, for both scores");

    for (minutes, score) in [(15, 40.0), (15, 60.0)] {
        fixture.pass(minutes);
        fixture.cloud.set_score(entra("contoso"), ScoreKind::ExposureScore, score);
        recommend(&fixture, &[("Update x", "Update", 9.0, 5), ("Set y", "ConfigurationChange", 2.0, 8)]);
        fixture.visit(&config).await;
    }
    assert_eq!(fixture.queued().await.last().map(String::as_str), Some("alert.firing to soc"));
    let (explanation, causes) = explained(&fixture).await;
    assert_eq!(causes, ["Set y"]);
    assert!(explanation.starts_with("1 recommendation has changed for the worse"), "{explanation}");
}

#[tokio::test]
async fn a_device_groups_reason_says_that_it_is_of_the_whole_tenant() {
    let fixture = Fixture::new().await;
    let config = watched(&fixture, &[ScoreKind::ExposureScoreByGroup], Condition::Above(50.0));
    recommend(&fixture, &[("Update x", "Update", 9.0, 5)]);
    let group =
        |name: &str, score: f64| json!({ "time": "2026-01-05T12:00:00Z", "score": score, "rbacGroupName": name });
    fixture.cloud.set_groups(entra("contoso"), vec![group("Servers", 70.0), group("Laptops", 20.0)]);
    fixture.visit(&config).await;
    assert_eq!(fixture.queued().await, ["alert.firing to soc"]);
    let (explanation, causes) = explained(&fixture).await;
    assert_eq!(causes, ["Update x"]);
    assert!(explanation.contains("The list is that of the whole tenant."), "{explanation}");
}

/// The record of a day after the start, of 200 points: those of the controls `mfa` and `legacy` of `Identity`, and `dlp` of `Data`.
fn record(day: i64, mfa: f64, legacy: f64, dlp: f64) -> Value {
    let date = (at(0).to_chrono() + chrono::Duration::days(day)).format("%Y-%m-%d");
    let control = |(name, category, score): (&str, &str, f64)| json!({ "controlName": name, "controlCategory": category, "score": score });
    let controls = [("mfa", "Identity", mfa), ("legacy", "Identity", legacy), ("dlp", "Data", dlp)].map(control);
    json!({
        "id": format!("t_{date}"), "createdDateTime": format!("{date}T00:00:00Z"), "currentScore": mfa + legacy + dlp, "maxScore": 200.0,
        "controlScores": controls,
    })
}

fn points_lost(points: f64) -> Condition {
    let within = Duration::from_hours(48);
    Condition::Drop(Change { size: Size::Points(points), within, from: BaselineChoice::Best })
}

/// Lets a day begin with these records, the newest first, and visits.
async fn new_day(fixture: &Fixture, config: &Config, records: &[Value]) {
    fixture.pass(24 * 60);
    fixture.cloud.set_records(entra("contoso"), records.to_vec());
    fixture.visit(config).await;
}

#[tokio::test]
async fn a_categorys_reason_is_of_its_own_controls_only() {
    let fixture = Fixture::new().await;
    let scores = [ScoreKind::SecureScoreCategory, ScoreKind::SecureScore];
    let config = watched(&fixture, &scores, points_lost(5.0));
    let first = record(0, 80.0, 40.0, 60.0);
    fixture.cloud.set_records(entra("contoso"), vec![first.clone()]);
    fixture.visit(&config).await;
    assert!(fixture.queued().await.is_empty());
    // `Data` loses points as well, but too few for an alert of its own.
    new_day(&fixture, &config, &[record(1, 60.0, 40.0, 56.0), first]).await;
    assert_eq!(fixture.queued().await, ["alert.firing to soc"]);
    let newest = fixture.deliveries().await.pop().unwrap();
    let data = fixture.store.delivery(newest.id).await.unwrap().unwrap().notification.data;
    assert_eq!(data.facts.score.unwrap().subject.as_deref(), Some("Identity"));
    assert_eq!(explained(&fixture).await.1, ["mfa"]);
}

#[tokio::test]
async fn an_alert_that_worsens_long_after_is_compared_with_the_day_that_it_was_judged_by() {
    let fixture = Fixture::new().await;
    let config = watched(&fixture, &[ScoreKind::SecureScore], points_lost(5.0));
    let mut records = vec![record(0, 80.0, 40.0, 60.0)];
    fixture.cloud.set_records(entra("contoso"), records.clone());
    fixture.visit(&config).await;
    for day in 1..=7 {
        let legacy = if day < 7 { 40.0 } else { 10.0 };
        records.insert(0, record(day, 60.0, legacy, 60.0));
        new_day(&fixture, &config, &records).await;
        if day == 1 {
            assert_eq!(explained(&fixture).await.1, ["mfa"]);
        }
    }
    assert_eq!(fixture.queued().await, ["alert.firing to soc", "alert.worsened to soc"]);
    let window = &fixture.record("contoso").await.unwrap().series[0].window;
    assert!(window[0].at > at(24 * 60), "what the check judges by does not reach back so far: {window:?}");
    let (explanation, causes) = explained(&fixture).await;
    assert_eq!(causes, ["legacy", "mfa"], "{explanation}");

    // Neither is there a record of that day any more: that is said, and prevents nothing.
    records.retain(|record| record["id"] != "t_2026-01-05");
    records.insert(0, record(8, 20.0, 10.0, 60.0));
    new_day(&fixture, &config, &records).await;
    assert_eq!(fixture.queued().await.last().map(String::as_str), Some("alert.worsened to soc"));
    let (explanation, causes) = explained(&fixture).await;
    assert_eq!((explanation.as_str(), causes.len()), ("Microsoft has no record of 2026-01-05 to compare with.", 0));
}
