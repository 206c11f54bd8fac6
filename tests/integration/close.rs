//! Alerts whose rule, tenant or score is gone end with a word why; a person may accept a loss.

use std::{collections::BTreeSet, sync::Arc};

use scorewatch::{
    check::close::{accept, close_orphans},
    config::{Config, Operator},
    domain::{ScoreKind, Selector},
    rule::Condition,
    simulation::cloud::{DefenderRefusal, Fetch},
    store::AlertFilter,
};

use super::{
    fixture::Fixture,
    setup::{Build, channels, config, drop_of, entra, minutes, rule, tenant_id},
};
use crate::harness::by_ann;

/// `contoso` has fallen from 400 to 250: `low` and `drop` fire, and `soc` was notified.
async fn fallen(fixture: &Fixture) -> Config {
    let config = config()
        .with_tenant(fixture.tenant("contoso", 400.0))
        .with_channel(fixture.channel("soc"))
        .with_channel(fixture.channel("new"))
        .with_rule(rule("low", Condition::Below(300.0)))
        .with_rule(rule("drop", drop_of(5.0)));
    fixture.visit(&config).await;
    fixture.pass(15);
    fixture.set_score("contoso", 250.0);
    fixture.visit(&config).await;
    assert_eq!(fixture.queued().await, ["alert.firing to soc"; 2]);
    config
}

async fn closed(fixture: &Fixture, config: &Config) -> Vec<String> {
    let before = fixture.queued().await.len();
    close_orphans(fixture.store.as_ref(), config, &BTreeSet::new(), fixture.clock.now()).await.unwrap();
    let after = fixture.queued().await;
    let again = close_orphans(fixture.store.as_ref(), config, &BTreeSet::new(), fixture.clock.now()).await.unwrap();
    assert!(again.is_empty(), "once");
    assert_eq!(fixture.queued().await, after, "once");
    after[before..].to_vec()
}

#[tokio::test]
async fn a_removed_tenant_closes_its_alerts_and_informs_those_who_were_notified() {
    type Edit = fn(&mut Config);
    let table: [(&str, Edit, &[&str]); 5] = [
        ("nothing is gone", |_| (), &[]),
        (
            "a rule",
            |config| config.rules.retain(|rule| rule.name.as_str() != "low"),
            &["alert.resolved (RuleRemoved) to soc"],
        ),
        (
            "a rule no longer applies, and another would be notified",
            |config| {
                let mut gold = (*config.rules[0]).clone();
                gold.tenants = Selector([("tier".into(), "gold".into())].into());
                gold.notify = channels(&["new"]);
                config.rules[0] = Arc::new(gold);
            },
            &["alert.resolved (RuleRemoved) to soc"],
        ),
        (
            "the tenant",
            |config| config.tenants.clear(),
            &["alert.resolved (TenantRemoved) to soc", "alert.resolved (TenantRemoved) to soc"],
        ),
        (
            "the score",
            |config| {
                let mut tenant = (*config.tenants[&tenant_id("contoso")]).clone();
                tenant.scores = Arc::new([ScoreKind::ExposureScore]);
                config.tenants.insert(tenant.id.clone(), Arc::new(tenant));
            },
            &["alert.resolved (SubjectRemoved) to soc", "alert.resolved (SubjectRemoved) to soc"],
        ),
    ];
    for (what, edit, expected) in table {
        let fixture = Fixture::new().await;
        let mut config = fallen(&fixture).await;
        edit(&mut config);
        assert_eq!(closed(&fixture, &config).await, expected, "{what}");
    }
}

#[tokio::test]
async fn a_closed_alert_is_reported_with_the_facts_it_fired_with() {
    let fixture = Fixture::new().await;
    let mut config = fallen(&fixture).await;
    config.tenants.clear();
    config.rules.clear();
    closed(&fixture, &config).await;
    for delivery in fixture.deliveries().await {
        let said = fixture.store.delivery(delivery.id).await.unwrap().unwrap().notification.data;
        assert_eq!(said.facts.tenant.unwrap().name, "contoso Ltd");
        assert!(["below 300", "drop 5% within 24h"].contains(&said.facts.rule.unwrap().condition.as_str()));
        assert_eq!(said.facts.score.unwrap().value, Some(250.0));
    }
}

#[tokio::test]
async fn a_tenant_under_way_is_passed_over() {
    let fixture = Fixture::new().await;
    let mut config = fallen(&fixture).await;
    config.rules.clear();
    let visited = BTreeSet::from([tenant_id("contoso")]);
    assert!(close_orphans(fixture.store.as_ref(), &config, &visited, fixture.clock.now()).await.unwrap().is_empty());
    assert_eq!(fixture.firing().await.len(), 2);
}

#[tokio::test]
async fn a_pending_alert_that_is_gone_is_dropped_without_a_notification() {
    let fixture = Fixture::new().await;
    let mut held = rule("held", Condition::Below(300.0));
    held.hold = minutes(60);
    let mut config = config().with_tenant(fixture.tenant("contoso", 250.0)).with_rule(held);
    fixture.visit(&config).await;
    assert_eq!(fixture.record("contoso").await.unwrap().alerts.len(), 1);
    config.rules.clear();
    assert_eq!(closed(&fixture, &config).await, [""; 0]);
    assert!(fixture.record("contoso").await.unwrap().alerts.is_empty());
}

#[tokio::test]
async fn a_channel_that_may_no_longer_show_the_tenant_is_not_notified_of_the_end() {
    let fixture = Fixture::new().await;
    let mut config = fallen(&fixture).await;
    config.rules.clear();
    let mut fenced = (*config.channels["soc"]).clone();
    fenced.audience.tenants = Some([tenant_id("fabrikam")].into());
    config = config.with_channel(fenced);
    assert_eq!(closed(&fixture, &config).await, [""; 0]);
    assert!(fixture.firing().await.is_empty());
}

#[tokio::test]
async fn the_operators_alert_of_a_removed_tenant_ends_as_the_operators() {
    let fixture = Fixture::new().await;
    let mut config = config().with_tenant(fixture.tenant("contoso", 400.0)).with_channel(fixture.channel("ops"));
    config.operator = Operator { notify: channels(&["ops"]), blind_after: minutes(0) };
    fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    fixture.visit(&config).await;
    fixture.notify_blindness(&config).await;
    config.tenants.clear();
    assert_eq!(closed(&fixture, &config).await, ["operator.blind (TenantRemoved) to ops"]);
    let last = fixture.deliveries().await.pop().unwrap();
    let said = fixture.store.delivery(last.id).await.unwrap().unwrap().notification.data.facts.operator.unwrap();
    assert_eq!((said.class.as_str(), said.until.is_some()), ("licence-missing", true));
    assert!(!said.summary.contains("read again"), "{}", said.summary);
}

#[tokio::test]
async fn only_a_loss_against_a_baseline_can_be_accepted_and_only_once() {
    let fixture = Fixture::new().await;
    let config = fallen(&fixture).await;
    let (store, now) = (fixture.store.as_ref(), fixture.clock.now());
    let rows = fixture.firing().await;
    let row = |name: &str| rows.iter().find(|row| row.key.rule.as_str() == name).unwrap();
    assert_eq!(accept(store, &config, row("low"), Some("ana"), &by_ann(now)).await.unwrap(), None);
    assert_eq!(accept(store, &config, row("drop"), Some("ana"), &by_ann(now)).await.unwrap(), Some(channels(&["soc"])));
    assert_eq!(accept(store, &config, row("drop"), Some("ana"), &by_ann(now)).await.unwrap(), None);
    assert_eq!(fixture.queued().await[2..], ["alert.resolved (Accepted) to soc"]);
    let over = fixture.store.alerts(&AlertFilter::default()).await.unwrap();
    let over = over.iter().filter_map(|row| row.last_notification.as_ref()?.data.alert.clone());
    let over = over.into_iter().find(|alert| alert.resolved_at.is_some()).unwrap();
    assert_eq!(over.resolved_by.as_deref(), Some("ana"));
    assert_eq!(over.reason.as_deref(), Some("The loss was accepted as the new level by ana."));
    fixture.pass(15);
    fixture.visit(&config).await;
    assert_eq!(fixture.queued().await.len(), 3, "the new level is no loss");
}
