//! Alerts whose rule, tenant or score is gone end with a word why; a person may accept a loss.

use std::{collections::BTreeSet, sync::Arc};

use scorewatch::{
    check::close::{accept, close_orphans},
    config::{Config, Operator},
    domain::{ScoreKind, Selector},
    rule::Condition,
    simulation::cloud::{DefenderRefusal, Fetch},
};

use super::{
    bed::Bed,
    setup::{Build, channels, config, drop_of, entra, minutes, rule, tenant_id},
};

/// `contoso` has fallen from 400 to 250: `low` and `drop` fire, and were told to `soc`.
async fn fallen(bed: &Bed) -> Config {
    let config = config()
        .with_tenant(bed.tenant("contoso", 400.0))
        .with_channel(bed.channel("soc"))
        .with_channel(bed.channel("new"))
        .with_rule(rule("low", Condition::Below(300.0)))
        .with_rule(rule("drop", drop_of(5.0)));
    bed.visit(&config).await;
    bed.pass(15);
    bed.set_score("contoso", 250.0);
    bed.visit(&config).await;
    assert_eq!(bed.queued().await, ["alert.firing to soc"; 2]);
    config
}

async fn closed(bed: &Bed, config: &Config) -> Vec<String> {
    let before = bed.queued().await.len();
    close_orphans(bed.store.as_ref(), config, &BTreeSet::new(), bed.clock.now()).await.unwrap();
    let after = bed.queued().await;
    let again = close_orphans(bed.store.as_ref(), config, &BTreeSet::new(), bed.clock.now()).await.unwrap();
    assert!(again.is_empty(), "once");
    assert_eq!(bed.queued().await, after, "once");
    after[before..].to_vec()
}

#[tokio::test]
async fn what_is_gone_closes_its_alerts_and_tells_who_was_told() {
    type Edit = fn(&mut Config);
    let table: [(&str, Edit, &[&str]); 5] = [
        ("nothing is gone", |_| (), &[]),
        (
            "a rule",
            |config| config.rules.retain(|rule| rule.name.as_str() != "low"),
            &["alert.resolved (RuleRemoved) to soc"],
        ),
        (
            "a rule no longer applies, and another would be told",
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
        let bed = Bed::new().await;
        let mut config = fallen(&bed).await;
        edit(&mut config);
        assert_eq!(closed(&bed, &config).await, expected, "{what}");
    }
}

#[tokio::test]
async fn a_closed_alert_is_told_with_the_facts_it_fired_with() {
    let bed = Bed::new().await;
    let mut config = fallen(&bed).await;
    config.tenants.clear();
    config.rules.clear();
    closed(&bed, &config).await;
    for delivery in bed.deliveries().await {
        let said = bed.store.delivery(delivery.id).await.unwrap().unwrap().notification.data;
        assert_eq!(said.facts.tenant.unwrap().name, "contoso Ltd");
        assert!(["below 300", "drop 5% within 24h"].contains(&said.facts.rule.unwrap().condition.as_str()));
        assert_eq!(said.facts.score.unwrap().value, Some(250.0));
    }
}

#[tokio::test]
async fn a_tenant_under_way_is_passed_over() {
    let bed = Bed::new().await;
    let mut config = fallen(&bed).await;
    config.rules.clear();
    let visited = BTreeSet::from([tenant_id("contoso")]);
    assert!(close_orphans(bed.store.as_ref(), &config, &visited, bed.clock.now()).await.unwrap().is_empty());
    assert_eq!(bed.firing().await.len(), 2);
}

#[tokio::test]
async fn a_pending_alert_that_is_gone_vanishes_untold() {
    let bed = Bed::new().await;
    let mut held = rule("held", Condition::Below(300.0));
    held.hold = minutes(60);
    let mut config = config().with_tenant(bed.tenant("contoso", 250.0)).with_rule(held);
    bed.visit(&config).await;
    assert_eq!(bed.record("contoso").await.unwrap().alerts.len(), 1);
    config.rules.clear();
    assert_eq!(closed(&bed, &config).await, [""; 0]);
    assert!(bed.record("contoso").await.unwrap().alerts.is_empty());
}

#[tokio::test]
async fn a_channel_that_may_no_longer_see_the_tenant_does_not_hear_of_its_end() {
    let bed = Bed::new().await;
    let mut config = fallen(&bed).await;
    config.rules.clear();
    let mut fenced = (*config.channels["soc"]).clone();
    fenced.fence.tenants = Some([tenant_id("fabrikam")].into());
    config = config.with_channel(fenced);
    assert_eq!(closed(&bed, &config).await, [""; 0]);
    assert!(bed.firing().await.is_empty());
}

#[tokio::test]
async fn the_operators_alert_of_a_removed_tenant_ends_as_the_operators() {
    let bed = Bed::new().await;
    let mut config = config().with_tenant(bed.tenant("contoso", 400.0)).with_channel(bed.channel("ops"));
    config.operator = Operator { notify: channels(&["ops"]), blind_after: minutes(0) };
    bed.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    bed.visit(&config).await;
    bed.tell_blindness(&config).await;
    config.tenants.clear();
    assert_eq!(closed(&bed, &config).await, ["operator.blind (TenantRemoved) to ops"]);
    let last = bed.deliveries().await.pop().unwrap();
    let said = bed.store.delivery(last.id).await.unwrap().unwrap().notification.data.facts.operator.unwrap();
    assert_eq!((said.class.as_str(), said.until.is_some()), ("licence-missing", true));
    assert!(!said.summary.contains("read again"), "{}", said.summary);
}

#[tokio::test]
async fn only_a_loss_against_a_baseline_can_be_accepted_and_only_once() {
    let bed = Bed::new().await;
    let config = fallen(&bed).await;
    let (store, now) = (bed.store.as_ref(), bed.clock.now());
    let rows = bed.firing().await;
    let row = |name: &str| rows.iter().find(|row| row.key.rule.as_str() == name).unwrap();
    assert_eq!(accept(store, &config, row("low"), now).await.unwrap(), None);
    assert_eq!(accept(store, &config, row("drop"), now).await.unwrap(), Some(channels(&["soc"])));
    assert_eq!(accept(store, &config, row("drop"), now).await.unwrap(), None);
    assert_eq!(bed.queued().await[2..], ["alert.resolved (Accepted) to soc"]);
    bed.pass(15);
    bed.visit(&config).await;
    assert_eq!(bed.queued().await.len(), 3, "the new level is no loss");
}
