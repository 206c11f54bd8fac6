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
    bed::Bed,
    setup::{Build, at, channels, config, drop_of, entra, rule, tenant_id},
};

const ROLES: [&str; 2] = ["Score.Read.All", "SecurityRecommendation.Read.All"];

fn low(bed: &Bed) -> Config {
    bed.cloud.set_roles(entra("contoso"), &ROLES);
    let recommendation = json!({ "id": "sca-_-1", "recommendationName": "Do it", "remediationType": "ConfigurationChange", "configScoreImpact": 5, "exposedMachinesCount": 1 });
    bed.cloud.set_recommendations(entra("contoso"), vec![recommendation]);
    config().with_channel(bed.channel("soc")).with_rule(rule("low", Condition::Below(300.0)))
}

/// What the newest notification says: its explanation, and the titles of its causes.
async fn told(bed: &Bed) -> (String, Vec<String>) {
    let newest = bed.deliveries().await.pop().unwrap();
    let data = bed.store.delivery(newest.id).await.unwrap().unwrap().notification.data;
    (data.facts.explanation.unwrap_or_default(), data.causes.into_iter().map(|cause| cause.title).collect())
}

#[tokio::test]
async fn an_alert_is_committed_with_its_causes_and_what_is_remembered_of_them() {
    let bed = Bed::new().await;
    let tenant = bed.tenant("contoso", 250.0);
    let config = low(&bed).with_tenant(tenant);
    bed.visit(&config).await;
    assert_eq!(told(&bed).await.1, ["Do it"]);
    let kept = bed.store.recommendations(&tenant_id("contoso")).await.unwrap();
    assert_eq!(kept.iter().map(|kept| (kept.impact, kept.rows.len())).collect::<Vec<_>>(), [(Impact::DeviceScore, 1)]);
    assert!(bed.store.recommendations(&tenant_id("fabrikam")).await.unwrap().is_empty());
    bed.pass(15);
    bed.set_score("contoso", 400.0);
    bed.visit(&config).await;
    assert_eq!(told(&bed).await, (String::new(), Vec::new()), "what is over needs no reason");
    assert_eq!(bed.cloud.tenant_counts(entra("contoso")).guidance_requests, 1);
}

#[tokio::test]
async fn an_answer_that_does_not_come_delays_the_alert_by_so_much_and_no_more() {
    let bed = Bed::new().await;
    let tenant = bed.tenant("contoso", 250.0);
    let config = low(&bed).with_tenant(tenant);
    bed.cloud.set_guidance(entra("contoso"), Some(Reply::hang()));
    let late = async {
        bed.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).guidance_requests == 1).await;
        bed.clock.advance(REASON_WITHIN);
    };
    tokio::join!(bed.visit(&config), late);
    assert_eq!(bed.queued().await, ["alert.firing to soc"]);
    assert_eq!(told(&bed).await.0, "What regressed could not be looked up: Microsoft did not answer in time.");
}

#[tokio::test]
async fn shutdown_ends_the_asking_and_the_alert_is_kept() {
    let bed = Bed::new().await;
    let tenant = bed.tenant("contoso", 250.0);
    let config = low(&bed).with_tenant(tenant);
    bed.cloud.set_guidance(entra("contoso"), Some(Reply::hang()));
    let stop = async {
        bed.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).guidance_requests == 1).await;
        bed.shutdown.cancel();
    };
    tokio::join!(bed.visit(&config), stop);
    assert_eq!(bed.queued().await, ["alert.firing to soc"]);
    assert!(told(&bed).await.0.contains("about to stop"));
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
        let bed = Bed::new().await;
        let tenant = bed.tenant("contoso", 250.0);
        let config = low(&bed).with_tenant(tenant);
        bed.cloud.set_guidance(entra("contoso"), Some(reply));
        bed.visit(&config).await;
        assert_eq!(bed.queued().await, ["alert.firing to soc"]);
        let (explanation, causes) = told(&bed).await;
        assert!(explanation.contains(why) && causes.is_empty(), "{explanation}");
        assert!(bed.store.recommendations(&tenant_id("contoso")).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn all_alerts_of_a_visit_share_one_answer_and_a_conflict_does_not_ask_again() {
    let bed = Bed::new().await;
    let tenant = bed.tenant("contoso", 400.0);
    let config = low(&bed).with_tenant(tenant).with_rule(rule("drop", drop_of(5.0)));
    bed.visit(&config).await;
    bed.pass(15);
    bed.set_score("contoso", 310.0);
    bed.visit(&config).await;
    assert_eq!(bed.cloud.tenant_counts(entra("contoso")).guidance_requests, 1);
    let known = bed.record("contoso").await;
    let row = bed.firing().await.pop().unwrap();
    let busy = close::accept(bed.store.as_ref(), &config, &row, bed.clock.now()).await.unwrap();
    assert_eq!(busy, Some(channels(&["soc"])));
    bed.pass(15);
    bed.set_score("contoso", 250.0);
    let plan = Plan::new(std::sync::Arc::new(config.clone()));
    let turn = Turn::Check { due_at: bed.clock.now() };
    let (checker, tenant) = (bed.checker(), &config.tenants[&tenant_id("contoso")]);
    checker.visit(&plan, tenant, turn, known, &bed.shutdown).await.unwrap().unwrap();
    assert_eq!(bed.cloud.tenant_counts(entra("contoso")).guidance_requests, 2, "one more, though it was judged twice");
    assert_eq!(told(&bed).await.1, ["Do it"]);
}

/// `contoso` with these scores, also of Graph, and one rule on the first of them.
fn watched(bed: &Bed, scores: &[ScoreKind], when: Condition) -> Config {
    let config = low(bed);
    let tenant = bed.tenant("contoso", 400.0);
    bed.cloud.set_roles(entra("contoso"), &[ROLES[0], ROLES[1], "SecurityEvents.Read.All"]);
    let hosts = Hosts { graph: bed.cloud.base_url(), ..(*tenant.account.hosts).clone() };
    let account = Account { hosts: Arc::new(hosts), ..tenant.account };
    let watched = Rule { score: Some(scores[0]), ..rule("watched", when) };
    Config { rules: Vec::new(), ..config }
        .with_tenant(Tenant { scores: scores.into(), account, ..tenant })
        .with_rule(watched)
}

/// What Defender recommends: name, kind, what the exposure score could fall by, exposed devices.
fn recommend(bed: &Bed, list: &[(&str, &str, f64, u64)]) {
    let item = |&(name, kind, impact, exposed): &(&str, &str, f64, u64)| {
        json!({
            "id": name, "recommendationName": name, "remediationType": kind, "configScoreImpact": 1, "exposureImpact": impact,
            "exposedMachinesCount": exposed, "totalMachineCount": 40,
        })
    };
    bed.cloud.set_recommendations(entra("contoso"), list.iter().map(item).collect());
}

#[tokio::test]
async fn an_exposure_that_rises_names_what_weighs_in_exposure_and_then_what_changed() {
    let bed = Bed::new().await;
    let config = watched(&bed, &[ScoreKind::ExposureScore], Condition::Above(50.0));
    recommend(
        &bed,
        &[("Update x", "Update", 9.0, 5), ("Set y", "ConfigurationChange", 2.0, 5), ("Idle", "Update", 0.0, 1)],
    );
    bed.cloud.set_score(entra("contoso"), ScoreKind::ExposureScore, 60.0);
    bed.visit(&config).await;
    let (explanation, causes) = told(&bed).await;
    assert_eq!(causes, ["Update x", "Set y"], "software counts for exposure, too");
    assert!(
        explanation.starts_with("Likely contributors are the recommendations with the largest impact"),
        "{explanation}"
    );
    assert!(!explanation.contains("whole tenant"), "{explanation}");
    let kept = bed.store.recommendations(&tenant_id("contoso")).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|kept| (kept.impact, kept.rows.len())).collect();
    assert_eq!(kept, [(Impact::DeviceScore, 1), (Impact::Exposure, 3)], "the whole list was read, for both scores");

    for (minutes, score) in [(15, 40.0), (15, 60.0)] {
        bed.pass(minutes);
        bed.cloud.set_score(entra("contoso"), ScoreKind::ExposureScore, score);
        recommend(&bed, &[("Update x", "Update", 9.0, 5), ("Set y", "ConfigurationChange", 2.0, 8)]);
        bed.visit(&config).await;
    }
    assert_eq!(bed.queued().await.last().map(String::as_str), Some("alert.firing to soc"));
    let (explanation, causes) = told(&bed).await;
    assert_eq!(causes, ["Set y"]);
    assert!(
        explanation.starts_with("Likely contributors: 1 recommendation has changed for the worse"),
        "{explanation}"
    );
}

#[tokio::test]
async fn a_device_groups_reason_says_that_it_is_of_the_whole_tenant() {
    let bed = Bed::new().await;
    let config = watched(&bed, &[ScoreKind::ExposureScoreByGroup], Condition::Above(50.0));
    recommend(&bed, &[("Update x", "Update", 9.0, 5)]);
    let group =
        |name: &str, score: f64| json!({ "time": "2026-01-05T12:00:00Z", "score": score, "rbacGroupName": name });
    bed.cloud.set_groups(entra("contoso"), vec![group("Servers", 70.0), group("Laptops", 20.0)]);
    bed.visit(&config).await;
    assert_eq!(bed.queued().await, ["alert.firing to soc"]);
    let (explanation, causes) = told(&bed).await;
    assert_eq!(causes, ["Update x"]);
    assert!(explanation.contains("They are those of the whole tenant."), "{explanation}");
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
async fn new_day(bed: &Bed, config: &Config, records: &[Value]) {
    bed.pass(24 * 60);
    bed.cloud.set_records(entra("contoso"), records.to_vec());
    bed.visit(config).await;
}

#[tokio::test]
async fn a_categorys_reason_is_of_its_own_controls_only() {
    let bed = Bed::new().await;
    let scores = [ScoreKind::SecureScoreCategory, ScoreKind::SecureScore];
    let config = watched(&bed, &scores, points_lost(5.0));
    let first = record(0, 80.0, 40.0, 60.0);
    bed.cloud.set_records(entra("contoso"), vec![first.clone()]);
    bed.visit(&config).await;
    assert!(bed.queued().await.is_empty());
    // `Data` loses points as well, but too few for an alert of its own.
    new_day(&bed, &config, &[record(1, 60.0, 40.0, 56.0), first]).await;
    assert_eq!(bed.queued().await, ["alert.firing to soc"]);
    let newest = bed.deliveries().await.pop().unwrap();
    let data = bed.store.delivery(newest.id).await.unwrap().unwrap().notification.data;
    assert_eq!(data.facts.score.unwrap().subject.as_deref(), Some("Identity"));
    assert_eq!(told(&bed).await.1, ["mfa"]);
}

#[tokio::test]
async fn an_alert_that_worsens_long_after_is_compared_with_the_day_that_it_was_judged_by() {
    let bed = Bed::new().await;
    let config = watched(&bed, &[ScoreKind::SecureScore], points_lost(5.0));
    let mut records = vec![record(0, 80.0, 40.0, 60.0)];
    bed.cloud.set_records(entra("contoso"), records.clone());
    bed.visit(&config).await;
    for day in 1..=7 {
        let legacy = if day < 7 { 40.0 } else { 10.0 };
        records.insert(0, record(day, 60.0, legacy, 60.0));
        new_day(&bed, &config, &records).await;
        if day == 1 {
            assert_eq!(told(&bed).await.1, ["mfa"]);
        }
    }
    assert_eq!(bed.queued().await, ["alert.firing to soc", "alert.worsened to soc"]);
    let window = &bed.record("contoso").await.unwrap().series[0].window;
    assert!(window[0].at > at(24 * 60), "what the check judges by does not reach back so far: {window:?}");
    let (explanation, causes) = told(&bed).await;
    assert_eq!(causes, ["legacy", "mfa"], "{explanation}");

    // Neither is there a record of that day any more: that is said, and prevents nothing.
    records.retain(|record| record["id"] != "t_2026-01-05");
    records.insert(0, record(8, 20.0, 10.0, 60.0));
    new_day(&bed, &config, &records).await;
    assert_eq!(bed.queued().await.last().map(String::as_str), Some("alert.worsened to soc"));
    let (explanation, causes) = told(&bed).await;
    assert_eq!((explanation.as_str(), causes.len()), ("Microsoft gives no record of 2026-01-05 to compare with.", 0));
}
