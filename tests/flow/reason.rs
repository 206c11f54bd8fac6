//! Asking why: it delays an alert by so much and no more, never prevents one, and is done once.

use scorewatch::{
    check::{close, due::Turn, reason::REASON_WITHIN, run::Plan},
    config::Config,
    domain::Impact,
    rule::Condition,
    simulation::Reply,
};
use serde_json::json;

use super::{
    bed::Bed,
    setup::{Build, channels, config, drop_of, entra, rule, tenant_id},
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
    (data.explanation.unwrap_or_default(), data.causes.into_iter().map(|cause| cause.title).collect())
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
        (Reply::json(200, "[]"), "no JSON object"),
        (Reply::json(200, "{\"value\": [[[["), "can't be read"),
        (Reply::status(400), "HTTP 400"),
        (Reply::gzip_bomb(), "no answer from the API"),
        (Reply::json(429, "{}").retry_after("7"), "slow down"),
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
