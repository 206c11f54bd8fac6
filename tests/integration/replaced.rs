//! A slug is given to another customer: whose alerts end where, and who sees what.

use std::{collections::BTreeSet, sync::Arc};

use scorewatch::{
    channel::ChannelSettings,
    check::close::close_orphans,
    config::{Config, Operator, Tenant},
    domain::{Labels, Selector},
    microsoft::Account,
    notify::{DeliveryState, route::Audience},
    rule::Condition,
    service::roster::reconcile,
    simulation::Reply,
};

use super::{
    fixture::Fixture,
    setup::{Build, at, channels, config, drop_of, entra, rule, tenant_id},
};

/// A tenant of that Entra id under the slug `contoso`.
fn as_contoso(tenant: Tenant, name: &str) -> Tenant {
    let account = Account { tenant: tenant_id("contoso"), ..tenant.account };
    let labels: Labels = [("customer".into(), "contoso".into())].into();
    Tenant {
        id: tenant_id("contoso"),
        name: name.into(),
        account,
        labels: Arc::new(labels),
        notify: channels(&["own", "labelled", "page"]),
        ..tenant
    }
}

fn fenced(channel: ChannelSettings, audience: Audience) -> ChannelSettings {
    ChannelSettings { audience, ..channel }
}

/// `soc` and `ops` see everybody, `own` and `page` the slug, `labelled` the customer's label.
fn seen_by(fixture: &Fixture, tenant: Tenant) -> Config {
    let tenants = Some(BTreeSet::from([tenant_id("contoso")]));
    let labels = Selector([("customer".into(), "contoso".into())].into());
    let mut config = config()
        .with_tenant(tenant)
        .with_channel(fixture.channel("soc"))
        .with_channel(fixture.channel("ops"))
        .with_channel(fenced(fixture.channel("own"), Audience { tenants: tenants.clone(), ..Audience::default() }))
        .with_channel(fenced(fixture.channel("page"), Audience { tenants, ..Audience::default() }))
        .with_channel(fenced(fixture.channel("labelled"), Audience { labels, ..Audience::default() }))
        .with_rule(rule("low", Condition::Below(300.0)))
        .with_rule(rule("drop", drop_of(5.0)));
    config.operator = Operator { notify: channels(&["ops"]), ..config.operator };
    config
}

/// The types of what a receiver took, each with whose name and Entra id it shows.
fn arrived(fixture: &Fixture, channel: &str) -> Vec<String> {
    let line = |request: Arc<scorewatch::simulation::receiver::Received>| {
        let body = request.json();
        let text = |path: &str| body.pointer(path).and_then(serde_json::Value::as_str).unwrap_or("-").to_owned();
        let (kind, name, id) = (text("/type"), text("/data/tenant/name"), text("/data/tenant/tenant_id"));
        let portal = text("/data/links/portal");
        assert!(portal.ends_with(&format!("?tid={id}")) || id == "-", "{portal}");
        format!("{kind} {name} {id} {}", text("/data/tenant/id"))
    };
    fixture.receivers.received_by(channel).into_iter().map(line).collect()
}

#[tokio::test]
async fn a_new_customer_under_an_old_slug_sees_nothing_of_the_old_one() {
    let fixture = Fixture::new().await;
    let old = seen_by(&fixture, as_contoso(fixture.tenant("old", 400.0), "Contoso Ltd"));
    reconcile(fixture.store.as_ref(), &old, at(0)).await.unwrap();
    fixture.visit(&old).await;
    fixture.pass(15);
    fixture.cloud.set_score(entra("old"), super::setup::SCORE, 250.0);
    fixture.visit(&old).await;
    // What this one does not take is still waiting when the slug changes hands.
    fixture.receivers.set("page", Some(Reply::status(503)));
    let (dispatcher, sender, _settled) = fixture.dispatcher(old.clone());
    dispatcher.drain().await.unwrap();
    let fired = format!("alert.firing Contoso Ltd {} contoso", entra("old"));
    for channel in ["soc", "own", "labelled"] {
        assert_eq!(arrived(&fixture, channel), [fired.clone(), fired.clone()], "{channel}");
    }
    let ids: BTreeSet<_> = fixture.deliveries().await.into_iter().map(|delivery| delivery.notification).collect();

    let new = seen_by(&fixture, as_contoso(fixture.tenant("new", 390.0), "Fabrikam Inc"));
    fixture.pass(15);
    reconcile(fixture.store.as_ref(), &new, fixture.clock.now()).await.unwrap();
    sender.send_replace(Arc::new(new.clone()));
    fixture.receivers.set("page", None);
    close_orphans(fixture.store.as_ref(), &new, &BTreeSet::new(), fixture.clock.now()).await.unwrap();
    fixture.visit(&new).await;
    fixture.pass(15);
    dispatcher.drain().await.unwrap();
    let over = format!("alert.resolved Contoso Ltd {} contoso.{}", entra("old"), &entra("old").to_string()[..8]);
    assert_eq!(arrived(&fixture, "soc")[2..], [over.clone(), over], "was notified that it fires, and sees all tenants");
    for channel in ["own", "labelled"] {
        assert_eq!(arrived(&fixture, channel).len(), 2, "{channel} may be the new customer's by now");
    }
    assert!(arrived(&fixture, "page").iter().all(|line| *line == fired), "{:?}", arrived(&fixture, "page"));
    let to_page: Vec<_> =
        fixture.deliveries().await.into_iter().filter(|delivery| delivery.channel.as_str() == "page").collect();
    assert!(to_page.iter().all(|delivery| delivery.state == DeliveryState::Dead), "{to_page:?}");

    // 390 is below what the old one had: for the new one it is where everything begins.
    assert!(fixture.firing().await.is_empty());
    fixture.cloud.set_score(entra("new"), super::setup::SCORE, 250.0);
    fixture.visit(&new).await;
    fixture.pass(15);
    dispatcher.drain().await.unwrap();
    let fired = format!("alert.firing Fabrikam Inc {} contoso", entra("new"));
    for channel in ["own", "labelled"] {
        assert_eq!(arrived(&fixture, channel)[2..], [fired.clone(), fired.clone()], "{channel}");
    }
    let baseline = fixture.firing().await.iter().filter_map(|row| row.alert.firing()?.baseline).fold(0.0, f64::max);
    assert!((baseline - 390.0).abs() < 1e-9, "{baseline}");
    let of_new = fixture
        .deliveries()
        .await
        .into_iter()
        .filter(|one| one.tenant.as_ref().is_some_and(|id| id.as_str() == "contoso"));
    assert!(of_new.into_iter().all(|delivery| !ids.contains(&delivery.notification)), "other ids");
}

#[tokio::test]
async fn the_operator_is_sent_the_end_if_nobody_who_was_notified_may_see_it() {
    let fixture = Fixture::new().await;
    let mut old = seen_by(&fixture, as_contoso(fixture.tenant("old", 250.0), "Contoso Ltd"));
    old.rules =
        vec![Arc::new(scorewatch::rule::Rule { notify: channels(&["own"]), ..rule("low", Condition::Below(300.0)) })];
    reconcile(fixture.store.as_ref(), &old, at(0)).await.unwrap();
    fixture.visit(&old).await;
    let mut new = seen_by(&fixture, as_contoso(fixture.tenant("new", 390.0), "Fabrikam Inc"));
    new.rules.clone_from(&old.rules);
    reconcile(fixture.store.as_ref(), &new, at(15)).await.unwrap();
    let busy = close_orphans(fixture.store.as_ref(), &new, &BTreeSet::new(), at(15)).await.unwrap();
    assert_eq!(busy.into_iter().collect::<Vec<_>>(), channels(&["ops"]));
}

#[tokio::test]
async fn a_renamed_slug_is_the_same_tenant() {
    let fixture = Fixture::new().await;
    let before = seen_by(&fixture, as_contoso(fixture.tenant("old", 250.0), "Contoso Ltd"));
    reconcile(fixture.store.as_ref(), &before, at(0)).await.unwrap();
    fixture.visit(&before).await;
    let alert = fixture.firing().await.remove(0);
    let (dispatcher, sender, _settled) = fixture.dispatcher(before.clone());
    dispatcher.drain().await.unwrap();
    let id = fixture.receivers.received_by("soc")[0].json()["data"]["alert"]["id"].clone();

    let mut after = before.clone();
    let tenant = (*after.tenants.remove("contoso").unwrap()).clone();
    let account = Account { tenant: tenant_id("contoso-ag"), ..tenant.account.clone() };
    let after = after.with_tenant(Tenant { id: tenant_id("contoso-ag"), account, notify: Vec::new(), ..tenant });
    fixture.pass(15);
    reconcile(fixture.store.as_ref(), &after, fixture.clock.now()).await.unwrap();
    sender.send_replace(Arc::new(after.clone()));
    assert!(
        close_orphans(fixture.store.as_ref(), &after, &BTreeSet::new(), fixture.clock.now()).await.unwrap().is_empty()
    );
    let going_on = fixture.firing().await.remove(0);
    assert_eq!((going_on.key.tenant, going_on.alert), (tenant_id("contoso-ag"), alert.alert));
    fixture.cloud.set_score(entra("old"), super::setup::SCORE, 400.0);
    fixture.visit_one(&after, "contoso-ag").await;
    dispatcher.drain().await.unwrap();
    let received = fixture.receivers.received_by("soc");
    let last = received.last().unwrap().json();
    assert_eq!((&last["type"], &last["data"]["alert"]["id"]), (&"alert.resolved".into(), &id), "one alert to a pager");
    assert_eq!(last["data"]["tenant"]["id"], "contoso-ag");
}
