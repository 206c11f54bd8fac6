//! What a changed configuration changes of who is notified: of alerts that fire, and of what waits.

use std::sync::Arc;

use scorewatch::{
    channel::{ChannelKind, ChannelSettings, Webhook, WebhookUrl},
    check::outlook,
    config::{Config, Operator},
    notify::DeliveryState::{self, Dead, Delivered},
    rule::{Condition, Rule},
    secret::SecretReference,
    simulation::Reply,
};
use serde_json::Value;

use super::{
    fixture::Fixture,
    setup::{Build, channel_name, channels, config, rule, tenant_id},
};

const TENANTS: [&str; 3] = ["contoso", "fabrikam", "tailspin"];

/// Three tenants, a rule that notifies these channels, and `ops` for the operator.
fn watched(fixture: &Fixture, notify: &[&str]) -> Config {
    let mut watched = TENANTS.iter().fold(config(), |config, tenant| config.with_tenant(fixture.tenant(tenant, 400.0)));
    for name in ["soc", "team", "ops"] {
        watched = watched.with_channel(fixture.channel(name));
    }
    watched.operator = Operator { notify: channels(&["ops"]), ..watched.operator };
    notifying(&watched, notify)
}

/// The same with a rule that notifies these channels instead.
fn notifying(config: &Config, notify: &[&str]) -> Config {
    let low = Rule { notify: channels(notify), ..rule("low", Condition::Below(300.0)) };
    Config { rules: vec![Arc::new(low)], ..config.clone() }
}

fn without(config: &Config, name: &str) -> Config {
    let mut config = config.clone();
    config.channels.remove(&channel_name(name));
    config
}

/// Lets every tenant's alert fire.
async fn fire(fixture: &Fixture, config: &Config) {
    fixture.visit_all(config).await;
    fixture.pass(15);
    for tenant in TENANTS {
        fixture.set_score(tenant, 290.0);
    }
    fixture.visit_all(config).await;
}

/// Sends what is to be sent by this configuration, in a process of its own, the given number of times.
async fn run(fixture: &Fixture, config: &Config, times: usize) {
    for _ in 0..times {
        let (dispatcher, sender, _settled) = fixture.dispatcher(config.clone());
        dispatcher.drain().await.unwrap();
        // A reload that changes nothing.
        sender.send(Arc::new(config.clone())).unwrap();
        dispatcher.drain().await.unwrap();
    }
}

fn bodies(fixture: &Fixture, channel: &str) -> Vec<Value> {
    let received = fixture.receivers.received_by(channel);
    received.iter().filter(|request| request.accepted()).map(|request| request.json()).collect()
}

fn kinds(fixture: &Fixture, channel: &str) -> Vec<String> {
    bodies(fixture, channel).iter().map(|body| body["type"].as_str().unwrap().to_owned()).collect()
}

/// The tenants that a channel's receiver was sent messages about, in order.
fn tenants(fixture: &Fixture, channel: &str) -> Vec<String> {
    let of = |body: &Value| {
        let items = body["data"]["items"].as_array().cloned().unwrap_or_else(|| vec![body["data"].clone()]);
        let id = |item: &Value| item["tenant"]["id"].as_str().unwrap_or_default().to_owned();
        let mut ids: Vec<String> = items.iter().map(id).collect();
        ids.sort();
        ids
    };
    bodies(fixture, channel).iter().flat_map(of).collect()
}

async fn states(fixture: &Fixture, channel: &str) -> Vec<DeliveryState> {
    let all = fixture.deliveries().await;
    all.iter().filter(|delivery| delivery.channel.as_str() == channel).map(|delivery| delivery.state).collect()
}

#[tokio::test]
async fn a_channel_that_is_added_to_a_route_is_notified_of_what_fires_in_one_digest() {
    let fixture = Fixture::new().await;
    let before = watched(&fixture, &["soc"]);
    fire(&fixture, &before).await;
    run(&fixture, &before, 1).await;
    assert_eq!(kinds(&fixture, "soc"), ["alert.firing"; 3]);
    let after = notifying(&before, &["soc", "team"]);
    run(&fixture, &after, 3).await;
    assert_eq!(kinds(&fixture, "team"), ["digest"], "once, however often it is reloaded and restarted");
    assert_eq!(tenants(&fixture, "team"), TENANTS);
    assert_eq!(kinds(&fixture, "soc").len(), 3, "who was notified is not notified again");
    assert!(fixture.firing().await.iter().all(|row| row.notified_channels == channels(&["soc", "team"])));
    for tenant in TENANTS {
        fixture.set_score(tenant, 400.0);
    }
    fixture.pass(15);
    fixture.visit_all(&after).await;
    run(&fixture, &after, 1).await;
    assert_eq!(kinds(&fixture, "team"), ["digest", "alert.resolved", "alert.resolved", "alert.resolved"]);
}

#[tokio::test]
async fn a_channel_of_a_tenant_s_own_is_notified_of_that_tenant_alone_and_one_alert_needs_no_digest() {
    let fixture = Fixture::new().await;
    let before = watched(&fixture, &["soc"]);
    fire(&fixture, &before).await;
    run(&fixture, &before, 1).await;
    let mut after = before.clone();
    let mut own = (*after.tenants[&tenant_id("fabrikam")]).clone();
    own.notify = channels(&["team"]);
    after.tenants.insert(own.id.clone(), Arc::new(own));
    run(&fixture, &after, 2).await;
    assert_eq!(
        (kinds(&fixture, "team"), tenants(&fixture, "team")),
        (vec!["alert.firing".into()], vec!["fabrikam".into()])
    );
}

#[tokio::test]
async fn a_channel_that_leaves_is_sent_nothing_more_not_even_the_end() {
    let fixture = Fixture::new().await;
    let before = watched(&fixture, &["soc", "team"]);
    fire(&fixture, &before).await;
    run(&fixture, &before, 1).await;
    let after = notifying(&before, &["soc"]);
    for tenant in TENANTS {
        fixture.set_score(tenant, 400.0);
    }
    fixture.pass(15);
    fixture.visit_all(&after).await;
    run(&fixture, &after, 1).await;
    assert_eq!((kinds(&fixture, "soc").len(), kinds(&fixture, "team").len()), (6, 3));
    assert!(kinds(&fixture, "ops").is_empty(), "nothing waited");
}

#[tokio::test]
async fn what_waits_for_a_renamed_channel_goes_to_the_new_name() {
    for had_digest in [false, true] {
        let fixture = Fixture::new().await;
        let mut before = watched(&fixture, &["soc"]);
        if had_digest {
            before = before.with_channel(ChannelSettings { digest_over: 1, ..fixture.channel("soc") });
        }
        fixture.receivers.set("soc", Some(Reply::status(503)));
        fire(&fixture, &before).await;
        run(&fixture, &before, 1).await;
        let after = notifying(&without(&before, "soc"), &["desk"]).with_channel(fixture.channel("desk"));
        run(&fixture, &after, 2).await;
        assert_eq!(
            (kinds(&fixture, "desk"), tenants(&fixture, "desk").len()),
            (vec!["digest".to_owned()], 3),
            "{had_digest}"
        );
        assert!(kinds(&fixture, "soc").is_empty() && kinds(&fixture, "ops").is_empty());
        let unfinished =
            fixture.deliveries().await.into_iter().filter(|delivery| !delivery.state.is_finished()).count();
        assert_eq!(unfinished, 0);
        assert!(!states(&fixture, "soc").await.contains(&Dead), "{had_digest}");
    }
}

#[tokio::test]
async fn of_what_waited_for_a_channel_that_has_no_successor_the_operator_is_notified_once() {
    for is_removed in [false, true] {
        let fixture = Fixture::new().await;
        let before = watched(&fixture, &["soc", "team"]);
        fixture.receivers.set("team", Some(Reply::status(503)));
        fire(&fixture, &before).await;
        run(&fixture, &before, 1).await;
        let mut after = notifying(&before, &["soc"]);
        if is_removed {
            after = without(&after, "team");
        }
        run(&fixture, &after, 2).await;
        assert_eq!(states(&fixture, "team").await, [Dead; 3]);
        let arrived = bodies(&fixture, "ops");
        let summary = arrived[0]["data"]["operator"]["summary"].as_str().unwrap();
        assert_eq!(
            (arrived.len(), summary.contains("3 messages"), summary.contains("`team`")),
            (1, true, true),
            "{summary}"
        );
        fixture.receivers.set("team", None);
        fixture.pass(60);
        run(&fixture, &after, 1).await;
        assert!(kinds(&fixture, "team").is_empty());
    }
}

#[tokio::test]
async fn what_waits_of_an_alert_that_is_over_goes_to_the_new_channel_too() {
    let fixture = Fixture::new().await;
    let before = watched(&fixture, &["soc"]);
    fixture.receivers.set("soc", Some(Reply::status(503)));
    fire(&fixture, &before).await;
    run(&fixture, &before, 1).await;
    fixture.set_score("contoso", 400.0);
    fixture.pass(15);
    fixture.visit_all(&before).await;
    let after = notifying(&without(&before, "soc"), &["desk"]).with_channel(fixture.channel("desk"));
    run(&fixture, &after, 2).await;
    let arrived = bodies(&fixture, "desk");
    assert_eq!(arrived.len(), 1, "{arrived:?}");
    let kinds: Vec<_> =
        arrived[0]["data"]["items"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect();
    assert_eq!(kinds, ["alert.firing", "alert.firing", "alert.resolved"]);
}

#[tokio::test]
async fn a_channel_with_a_new_destination_is_tried_at_once_and_notified_of_what_fires() {
    let fixture = Fixture::new().await;
    let before = watched(&fixture, &["soc"]);
    fire(&fixture, &before).await;
    run(&fixture, &before, 1).await;
    let elsewhere = ChannelSettings { name: channel_name("soc"), ..fixture.channel("elsewhere") };
    let after = before.clone().with_channel(elsewhere);
    run(&fixture, &after, 3).await;
    assert_eq!(
        (kinds(&fixture, "elsewhere"), tenants(&fixture, "elsewhere")),
        (vec!["digest".into()], TENANTS.map(String::from).to_vec())
    );
    assert_eq!(kinds(&fixture, "soc").len(), 3);
}

#[tokio::test]
async fn a_parked_channel_whose_url_is_fixed_is_tried_at_once_with_all_that_waited_and_nothing_twice() {
    let fixture = Fixture::new().await;
    let before = watched(&fixture, &["soc"]);
    fixture.receivers.set("soc", Some(Reply::status(404)));
    fire(&fixture, &before).await;
    run(&fixture, &before, 1).await;
    assert_eq!(fixture.receivers.received_by("soc").len(), 1, "it is parked");
    let fixed = ChannelSettings { name: channel_name("soc"), ..fixture.channel("fixed") };
    run(&fixture, &before.clone().with_channel(fixed), 2).await;
    assert_eq!(kinds(&fixture, "fixed"), ["alert.firing"; 3], "what waited, and no digest of it besides");
    assert_eq!(states(&fixture, "soc").await, [Delivered; 3]);
}

#[tokio::test]
async fn a_parked_channel_whose_secret_is_another_one_is_tried_at_once_and_no_secret_is_kept() {
    let fixture = Fixture::new().await;
    let file = fixture.directory.path().join("soc-url");
    let url = fixture.receivers.add_webhook("old");
    std::fs::write(&file, &url).unwrap();
    let kind = ChannelKind::Webhook(Webhook {
        url: WebhookUrl::Secret(SecretReference::File(file.clone())),
        signing_secrets: Vec::new(),
    });
    let config = watched(&fixture, &["soc"]).with_channel(ChannelSettings { kind, ..fixture.channel("soc") });
    fixture.receivers.set("old", Some(Reply::status(410)));
    fire(&fixture, &config).await;
    run(&fixture, &config, 1).await;
    std::fs::write(&file, fixture.receivers.add_webhook("new")).unwrap();
    run(&fixture, &config, 2).await;
    assert_eq!(kinds(&fixture, "new"), ["alert.firing"; 3]);
    assert_eq!(fixture.receivers.received_by("old").len(), 1);
    let known = format!("{:?}", fixture.store.channels().await.unwrap());
    assert!(!known.contains(&url) && known.contains("destination: Some"), "{known}");
}

#[tokio::test]
async fn a_parked_channel_that_is_removed_and_added_again_is_tried_at_once() {
    let fixture = Fixture::new().await;
    let before = watched(&fixture, &["soc"]);
    fixture.receivers.set("soc", Some(Reply::status(404)));
    fire(&fixture, &before).await;
    run(&fixture, &before, 1).await;
    run(&fixture, &notifying(&without(&before, "soc"), &[]), 1).await;
    let arrived = bodies(&fixture, "ops");
    assert_eq!(arrived.len(), 2, "that it is parked, and that three messages have nowhere to go");
    fixture.receivers.set("soc", None);
    run(&fixture, &before, 2).await;
    assert_eq!((kinds(&fixture, "soc"), tenants(&fixture, "soc").len()), (vec!["digest".to_owned()], 3));
}

#[tokio::test]
async fn what_was_queued_for_another_audience_is_never_sent_there() {
    let fixture = Fixture::new().await;
    let before = watched(&fixture, &["soc", "team"]);
    fixture.receivers.set("team", Some(Reply::status(503)));
    fire(&fixture, &before).await;
    run(&fixture, &before, 1).await;
    let mut theirs = ChannelSettings { name: channel_name("team"), ..fixture.channel("theirs") };
    theirs.audience.tenants = Some([tenant_id("fabrikam")].into());
    run(&fixture, &before.clone().with_channel(theirs), 2).await;
    assert_eq!(tenants(&fixture, "theirs"), ["fabrikam"]);
    assert_eq!(states(&fixture, "team").await.iter().filter(|state| **state == Dead).count(), 2);
    assert_eq!(kinds(&fixture, "ops").len(), 1, "the operator is notified of the two others");
}

#[tokio::test]
async fn a_check_against_the_state_says_what_a_reload_will_do() {
    let fixture = Fixture::new().await;
    let before = watched(&fixture, &["soc", "team"]);
    fixture.receivers.set("team", Some(Reply::status(503)));
    fire(&fixture, &before).await;
    run(&fixture, &before, 1).await;
    let moved = ChannelSettings { name: channel_name("soc"), ..fixture.channel("moved") };
    let elsewhere = before.clone().with_channel(moved);
    let renamed = notifying(&without(&before, "team"), &["soc", "desk"]).with_channel(fixture.channel("desk"));
    for (after, notified_channels, route, waiting) in [
        (before.clone(), vec!["soc", "team"], vec!["soc", "team"], vec!["team"]),
        (elsewhere, vec!["team"], vec!["soc", "team"], vec!["team"]),
        (renamed, vec!["soc", "team"], vec!["soc", "desk"], vec!["team"]),
    ] {
        let changes = outlook::changes(fixture.store.as_ref(), &after, fixture.clock.now()).await.unwrap();
        assert_eq!(changes.len(), 3);
        for change in changes {
            assert_eq!((change.notified_channels, change.channels), (channels(&notified_channels), channels(&route)));
            assert_eq!(change.waiting.into_iter().collect::<Vec<_>>(), channels(&waiting));
        }
    }
}
