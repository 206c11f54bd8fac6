//! Many tenants that can't be read for one reason are one message; a tenant with a reason of its own is reported on its own.

use scorewatch::{
    check::{
        blind::stage::Stage,
        outage::{Causes, REMEMBERED},
    },
    config::{Config, Operator},
    domain::Labels,
    notify::Notification,
    rule::Condition,
    simulation::{
        Reply,
        cloud::{DefenderRefusal, EntraRefusal, Fetch, SignIn},
    },
};

use super::{
    fixture::Fixture,
    setup::{Build, channels, config, entra, minutes, rule, tenant_id},
};

const FLEET: usize = 30;

fn name(number: usize) -> String {
    format!("t{number:02}")
}

/// Thirty tenants of one app that were read well, and the operator's channel `ops`.
async fn fleet(fixture: &Fixture) -> Config {
    let mut config = config().with_channel(fixture.channel("ops")).with_channel(fixture.channel("soc"));
    for number in 0..FLEET {
        config = config.with_tenant(fixture.tenant(&name(number), 400.0));
    }
    config.operator = Operator { notify: channels(&["ops"]), blind_after: minutes(60) };
    fixture.visit_all(&config).await;
    config
}

/// A quarter of an hour later each tenant is visited, and the operator notified.
async fn later(fixture: &Fixture, config: &Config) {
    fixture.pass(15);
    fixture.visit_all(config).await;
    fixture.notify_blindness(config).await;
}

async fn hours(fixture: &Fixture, config: &Config, quarters: usize) {
    for _ in 0..quarters {
        later(fixture, config).await;
    }
}

/// What was queued for a channel, oldest first.
async fn said(fixture: &Fixture, channel: &str) -> Vec<Notification> {
    let mut said = Vec::new();
    for delivery in fixture.deliveries().await.into_iter().filter(|delivery| delivery.channel.as_str() == channel) {
        said.push(fixture.store.delivery(delivery.id).await.unwrap().unwrap().notification);
    }
    said
}

fn summary(notification: &Notification) -> &str {
    &notification.data.operator.as_ref().unwrap().summary
}

fn whose(notification: &Notification) -> &str {
    notification.data.tenant.as_ref().map_or("", |tenant| &tenant.id)
}

fn down() -> Fetch {
    Fetch::Raw(Reply::html(503).retry_after("60"))
}

#[tokio::test]
async fn an_outage_of_microsoft_is_reported_once_it_has_lasted_and_once_when_it_is_over() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    fixture.cloud.set_every_fetch(Some(down()));
    hours(&fixture, &config, 4).await;
    assert!(said(&fixture, "ops").await.is_empty(), "not before `blind_after`");
    hours(&fixture, &config, 8).await;
    let arrived = said(&fixture, "ops").await;
    assert_eq!(arrived.len(), 1, "{:?}", arrived.iter().map(summary).collect::<Vec<_>>());
    let operator = arrived[0].data.operator.as_ref().unwrap();
    assert!(operator.summary.starts_with("30 of 30 tenants can't be read"), "{}", operator.summary);
    assert!(operator.summary.contains("t00, t01, t02 and 27 more"), "{}", operator.summary);
    assert_eq!((operator.class.as_str(), operator.from), ("microsoft-down", Some(super::setup::at(15))));
    assert!(operator.hint.as_ref().unwrap().contains("status.cloud.microsoft"));
    assert_eq!((arrived[0].data.items.len(), whose(&arrived[0])), (30, ""));

    fixture.cloud.set_every_fetch(None);
    hours(&fixture, &config, 4).await;
    let arrived = said(&fixture, "ops").await;
    assert_eq!(arrived.len(), 2);
    assert!(summary(&arrived[1]).starts_with("Microsoft can be read again after 3h"), "{}", summary(&arrived[1]));
    assert!(arrived[1].data.operator.as_ref().unwrap().until.is_some());
    let (began, over) = (arrived[0].data.alert.as_ref().unwrap(), arrived[1].data.alert.as_ref().unwrap());
    assert_eq!((&began.id, over.state.as_str()), (&over.id, "resolved"));
    assert!(fixture.firing().await.is_empty(), "each tenant's own alert is over, too");
}

#[tokio::test]
async fn each_outage_is_another_one() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    for outages in 1..=3 {
        fixture.cloud.set_every_fetch(Some(down()));
        hours(&fixture, &config, 6).await;
        fixture.cloud.set_every_fetch(None);
        hours(&fixture, &config, 2).await;
        assert_eq!(said(&fixture, "ops").await.len(), 2 * outages);
    }
}

/// How far it has come for a tenant, as `explain` says it.
async fn stage(fixture: &Fixture, config: &Config, id: &str) -> Stage {
    let now = fixture.clock.now();
    let (record, downtimes) = (fixture.record(id).await, fixture.store.downtimes().await.unwrap());
    let outages = fixture.store.outages(now.minus(REMEMBERED)).await.unwrap();
    Stage::of(config, &config.tenants[id], record.as_ref(), &outages, &downtimes, now)
}

#[tokio::test]
async fn a_tenants_explanation_matches_what_the_operator_is_sent() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await.with_tenant(fixture.tenant("new", 400.0));
    assert_eq!(stage(&fixture, &config, "new").await, Stage::Unchecked);
    assert_eq!(stage(&fixture, &config, "t01").await, Stage::Readable { checked_at: Some(fixture.clock.now()) });
    let nobody = Config { operator: Operator { notify: Vec::new(), ..config.operator.clone() }, ..config.clone() };
    assert_eq!(stage(&fixture, &nobody, "t01").await, Stage::NobodyListens);

    // A reason of its own.
    fixture.cloud.set_fetch(entra("t01"), Some(Fetch::Refuse(DefenderRefusal::RoleMissing { held: Vec::new() })));
    later(&fixture, &config).await;
    let (due_at, zero) = (fixture.clock.now().plus(minutes(60)), minutes(0));
    fixture.pass(5);
    let expected = Stage::NotYet { lasted: minutes(5), downtime: zero, needed: minutes(60), due_at };
    assert_eq!(stage(&fixture, &config, "t01").await, expected);
    fixture.pass(55);
    fixture.visit_one(&config, "t01").await;
    assert_eq!(stage(&fixture, &config, "t01").await, Stage::Due);
    fixture.notify_blindness(&config).await;
    assert_eq!(stage(&fixture, &config, "t01").await, Stage::Reported { notified_channels: channels(&["ops"]) });
    assert_eq!(said(&fixture, "ops").await.len(), 1);

    // An outage.
    fixture.cloud.set_every_fetch(Some(down()));
    hours(&fixture, &config, 2).await;
    let Stage::InOutage { cause, tenants, notified_at: None, .. } = stage(&fixture, &config, "t02").await else {
        panic!("{:?}", stage(&fixture, &config, "t02").await)
    };
    assert_eq!(cause, "service");
    assert!(tenants >= FLEET - 1, "{tenants}");
    hours(&fixture, &config, 4).await;
    let in_outage = stage(&fixture, &config, "t02").await;
    assert!(in_outage.is_reported() && matches!(in_outage, Stage::InOutage { .. }), "{in_outage:?}");
    assert_eq!(said(&fixture, "ops").await.len(), 2, "once of t01, once of the outage");

    // It is over for nearly all; who was not checked since is waited for.
    fixture.cloud.set_every_fetch(None);
    fixture.pass(15);
    for id in config.tenants.keys().filter(|id| id.as_str() != "t02") {
        fixture.visit_one(&config, id.as_str()).await;
    }
    fixture.notify_blindness(&config).await;
    assert_eq!(stage(&fixture, &config, "t02").await, Stage::AfterOutage { over_at: fixture.clock.now() });
    fixture.pass(1);
    fixture.visit_one(&config, "t02").await;
    assert_eq!(stage(&fixture, &config, "t02").await, Stage::Readable { checked_at: Some(fixture.clock.now()) });
}

#[tokio::test]
async fn a_short_outage_is_not_reported() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    fixture.cloud.set_every_fetch(Some(down()));
    hours(&fixture, &config, 4).await;
    fixture.cloud.set_every_fetch(None);
    hours(&fixture, &config, 2).await;
    assert!(said(&fixture, "ops").await.is_empty());
}

#[tokio::test]
async fn a_tenant_that_fails_for_its_own_reason_is_reported_on_its_own_even_after_the_outage() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    let refuse = |number: usize, refusal| fixture.cloud.set_fetch(entra(&name(number)), Some(Fetch::Refuse(refusal)));
    refuse(7, DefenderRefusal::NoLicence);
    fixture.cloud.set_every_fetch(None);
    for number in (0..FLEET).filter(|number| *number != 7) {
        fixture.cloud.set_fetch(entra(&name(number)), Some(down()));
    }
    hours(&fixture, &config, 6).await;
    let arrived = said(&fixture, "ops").await;
    let mut tenants: Vec<_> = arrived.iter().map(whose).collect();
    tenants.sort_unstable();
    assert_eq!(tenants, ["", "t07"]);
    let outage = arrived.iter().find(|arrived| whose(arrived).is_empty()).unwrap();
    assert!(summary(outage).starts_with("29 of 30"), "{}", summary(outage));

    for number in (0..FLEET).filter(|number| ![7, 9].contains(number)) {
        fixture.cloud.set_fetch(entra(&name(number)), None);
    }
    refuse(9, DefenderRefusal::NoLicence);
    later(&fixture, &config).await;
    let arrived = said(&fixture, "ops").await;
    let tenants: Vec<_> = arrived[2..].iter().map(whose).collect();
    assert!(tenants.contains(&"") || tenants.contains(&"t09"), "{tenants:?}");
    hours(&fixture, &config, 4).await;
    let arrived = said(&fixture, "ops").await;
    let mut tenants: Vec<_> = arrived[2..].iter().map(whose).collect();
    tenants.sort_unstable();
    assert_eq!(tenants, ["", "t09"], "the end of the outage, and who is still blind");
    let still = arrived.iter().find(|arrived| whose(arrived) == "t09").unwrap();
    assert_eq!(still.data.operator.as_ref().unwrap().class, "licence-missing");
}

#[tokio::test]
async fn a_tenant_reported_before_is_not_reported_again_and_its_own_end_is_sent() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    fixture.cloud.set_fetch(entra("t03"), Some(down()));
    hours(&fixture, &config, 5).await;
    assert_eq!(said(&fixture, "ops").await.iter().map(whose).collect::<Vec<_>>(), ["t03"]);
    fixture.cloud.set_every_fetch(Some(down()));
    hours(&fixture, &config, 6).await;
    let arrived = said(&fixture, "ops").await;
    assert_eq!(arrived.len(), 2);
    assert!(summary(&arrived[1]).starts_with("29 of 30"), "{}", summary(&arrived[1]));
    assert!(summary(&arrived[1]).contains("in addition to 1 that was reported before"), "{}", summary(&arrived[1]));
    assert_eq!(arrived[1].data.operator.as_ref().unwrap().from, Some(super::setup::at(6 * 15)));
    fixture.cloud.set_every_fetch(None);
    fixture.cloud.set_fetch(entra("t03"), None);
    hours(&fixture, &config, 2).await;
    let arrived = said(&fixture, "ops").await;
    let mut ends: Vec<_> = arrived[2..].iter().map(whose).collect();
    ends.sort_unstable();
    assert_eq!(ends, ["", "t03"]);
}

#[tokio::test]
async fn an_expiring_shared_credential_is_reported_with_its_app_and_its_tenants() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    fixture.cloud.set_every_sign_in(Some(SignIn::Refuse(EntraRefusal::SecretExpired)));
    hours(&fixture, &config, 16).await;
    let arrived = said(&fixture, "ops").await;
    assert_eq!(arrived.len(), 1, "{:?}", arrived.iter().map(summary).collect::<Vec<_>>());
    let operator = arrived[0].data.operator.as_ref().unwrap();
    assert_eq!(operator.class, "secret-expired");
    assert!(operator.summary.contains(&super::setup::app().to_string()), "{}", operator.summary);
    assert!(operator.summary.contains("of 30 tenants"), "{}", operator.summary);
    assert!(operator.hint.as_ref().unwrap().contains("new client secret"));
    fixture.cloud.set_every_sign_in(None);
    fixture.pass(15);
    hours(&fixture, &config, 2).await;
    let arrived = said(&fixture, "ops").await;
    assert_eq!(arrived.len(), 2);
    assert!(summary(&arrived[1]).contains("is accepted again"), "{}", summary(&arrived[1]));
}

#[tokio::test]
async fn a_channel_for_some_tenants_learns_nothing_about_others_not_even_their_number() {
    let fixture = Fixture::new().await;
    let mut config = fleet(&fixture).await;
    let mut fenced = (*config.channels["soc"]).clone();
    fenced.audience.tenants = Some([tenant_id("t04"), tenant_id("t05")].into());
    let mut foreign = fixture.channel("foreign");
    foreign.audience.labels = scorewatch::domain::Selector(Labels::from([("nobody".into(), "here".into())]));
    config = config.with_channel(fenced).with_channel(foreign);
    config.operator.notify = channels(&["ops", "soc", "foreign"]);
    fixture.cloud.set_every_fetch(Some(down()));
    hours(&fixture, &config, 6).await;
    fixture.cloud.set_every_fetch(None);
    hours(&fixture, &config, 2).await;
    let (open, fenced) = (said(&fixture, "ops").await, said(&fixture, "soc").await);
    assert_eq!((open.len(), fenced.len()), (2, 2));
    assert!(said(&fixture, "foreign").await.is_empty(), "who may see none of them hears nothing");
    for arrived in &fenced {
        let text = serde_json::to_string(arrived).unwrap();
        let others = (0..FLEET).map(name).filter(|name| !["t04", "t05"].contains(&name.as_str()));
        assert_eq!(others.filter(|other| text.contains(&format!("\"{other}"))).count(), 0, "{text}");
        assert!(summary(arrived).contains("2 ") && !summary(arrived).contains("30 "), "{}", summary(arrived));
        assert_eq!(arrived.data.items.len(), 2);
    }
    let (dispatcher, ..) = fixture.dispatcher(config);
    dispatcher.drain().await.unwrap();
    for channel in ["soc", "ops"] {
        let sent = fixture.receivers.received_by(channel);
        assert_eq!((sent.len(), sent[0].accepted()), (1, true), "{channel}: what waited is said by the newest");
        assert_eq!(sent[0].json()["data"]["notification"]["covers"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn asking_repeatedly_reports_nothing_more() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    fixture.cloud.set_every_fetch(Some(down()));
    hours(&fixture, &config, 5).await;
    for _restart in 0..3 {
        fixture.outages.set(Causes::default());
        fixture.notify_blindness(&config).await;
        assert_eq!(fixture.outages.causes().open.len(), 1, "what goes on is known again");
    }
    assert_eq!(said(&fixture, "ops").await.len(), 1);
}

#[tokio::test]
async fn a_rule_of_users_says_that_it_is_an_outage_and_no_more_of_others() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await.with_rule(rule("blind", Condition::NoData(minutes(30))));
    fixture.cloud.set_every_fetch(Some(down()));
    hours(&fixture, &config, 2).await;
    let arrived = said(&fixture, "soc").await;
    assert!(!arrived.is_empty());
    let last = arrived.last().unwrap().data.alert.as_ref().unwrap().reason.clone().unwrap();
    assert!(last.contains("microsoft-down") && last.contains("since 2026-01-05 12:15 UTC"), "{last}");
    assert!(last.contains("This is an outage; not only this tenant is affected."), "{last}");
    assert!(!last.contains("30") && !last.contains("t0"), "{last}");
}

#[tokio::test]
async fn where_a_secret_is_kept_is_for_the_operator_only() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await.with_rule(rule("blind", Condition::NoData(minutes(30))));
    let secret = fixture.directory.path().join("secret");
    std::fs::remove_file(&secret).unwrap();
    hours(&fixture, &config, 10).await;
    let of = async |channel| serde_json::to_string(&said(&fixture, channel).await).unwrap();
    let (to_users, to_operator) = (of("soc").await, of("ops").await);
    assert!(to_users.contains("secret-unreadable") && to_operator.contains(secret.to_str().unwrap()), "{to_operator}");
    assert!(!to_users.contains(secret.to_str().unwrap()), "{to_users}");
}

#[tokio::test]
async fn two_of_a_healthy_fleet_are_not_an_outage() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    for tenant in ["t01", "t02"] {
        fixture.cloud.set_fetch(entra(tenant), Some(down()));
    }
    hours(&fixture, &config, 6).await;
    assert_eq!(said(&fixture, "ops").await.iter().map(whose).collect::<Vec<_>>(), ["t01", "t02"]);
}
