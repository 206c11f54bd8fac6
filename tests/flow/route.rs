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
    bed::Bed,
    setup::{Build, channel_name, channels, config, rule, tenant_id},
};

const TENANTS: [&str; 3] = ["contoso", "fabrikam", "tailspin"];

/// Three tenants, a rule that notifies these channels, and `ops` for the operator.
fn watched(bed: &Bed, notify: &[&str]) -> Config {
    let mut watched = TENANTS.iter().fold(config(), |config, tenant| config.with_tenant(bed.tenant(tenant, 400.0)));
    for name in ["soc", "team", "ops"] {
        watched = watched.with_channel(bed.channel(name));
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
async fn fire(bed: &Bed, config: &Config) {
    bed.visit_all(config).await;
    bed.pass(15);
    for tenant in TENANTS {
        bed.set_score(tenant, 290.0);
    }
    bed.visit_all(config).await;
}

/// Sends what is to be sent by this configuration, in a process of its own, as often as told.
async fn run(bed: &Bed, config: &Config, times: usize) {
    for _ in 0..times {
        let (dispatcher, sender, _told) = bed.dispatcher(config.clone());
        dispatcher.drain().await.unwrap();
        // A reload that changes nothing.
        sender.send(Arc::new(config.clone())).unwrap();
        dispatcher.drain().await.unwrap();
    }
}

fn bodies(bed: &Bed, channel: &str) -> Vec<Value> {
    let received = bed.receivers.received_by(channel);
    received.iter().filter(|request| request.accepted()).map(|request| request.json()).collect()
}

fn kinds(bed: &Bed, channel: &str) -> Vec<String> {
    bodies(bed, channel).iter().map(|body| body["type"].as_str().unwrap().to_owned()).collect()
}

/// The tenants that a channel's receiver was told of, in order.
fn tenants(bed: &Bed, channel: &str) -> Vec<String> {
    let of = |body: &Value| {
        let items = body["data"]["items"].as_array().cloned().unwrap_or_else(|| vec![body["data"].clone()]);
        let id = |item: &Value| item["tenant"]["id"].as_str().unwrap_or_default().to_owned();
        let mut ids: Vec<String> = items.iter().map(id).collect();
        ids.sort();
        ids
    };
    bodies(bed, channel).iter().flat_map(of).collect()
}

async fn states(bed: &Bed, channel: &str) -> Vec<DeliveryState> {
    let all = bed.deliveries().await;
    all.iter().filter(|delivery| delivery.channel.as_str() == channel).map(|delivery| delivery.state).collect()
}

#[tokio::test]
async fn a_channel_that_is_added_to_a_route_is_notified_of_what_fires_in_one_digest() {
    let bed = Bed::new().await;
    let before = watched(&bed, &["soc"]);
    fire(&bed, &before).await;
    run(&bed, &before, 1).await;
    assert_eq!(kinds(&bed, "soc"), ["alert.firing"; 3]);
    let after = notifying(&before, &["soc", "team"]);
    run(&bed, &after, 3).await;
    assert_eq!(kinds(&bed, "team"), ["digest"], "once, however often it is reloaded and restarted");
    assert_eq!(tenants(&bed, "team"), TENANTS);
    assert_eq!(kinds(&bed, "soc").len(), 3, "who was notified is not notified again");
    assert!(bed.firing().await.iter().all(|row| row.told_to == channels(&["soc", "team"])));
    for tenant in TENANTS {
        bed.set_score(tenant, 400.0);
    }
    bed.pass(15);
    bed.visit_all(&after).await;
    run(&bed, &after, 1).await;
    assert_eq!(kinds(&bed, "team"), ["digest", "alert.resolved", "alert.resolved", "alert.resolved"]);
}

#[tokio::test]
async fn a_channel_of_a_tenant_s_own_is_notified_of_that_tenant_alone_and_one_alert_needs_no_digest() {
    let bed = Bed::new().await;
    let before = watched(&bed, &["soc"]);
    fire(&bed, &before).await;
    run(&bed, &before, 1).await;
    let mut after = before.clone();
    let mut own = (*after.tenants[&tenant_id("fabrikam")]).clone();
    own.notify = channels(&["team"]);
    after.tenants.insert(own.id.clone(), Arc::new(own));
    run(&bed, &after, 2).await;
    assert_eq!((kinds(&bed, "team"), tenants(&bed, "team")), (vec!["alert.firing".into()], vec!["fabrikam".into()]));
}

#[tokio::test]
async fn a_channel_that_leaves_is_sent_nothing_more_not_even_the_end() {
    let bed = Bed::new().await;
    let before = watched(&bed, &["soc", "team"]);
    fire(&bed, &before).await;
    run(&bed, &before, 1).await;
    let after = notifying(&before, &["soc"]);
    for tenant in TENANTS {
        bed.set_score(tenant, 400.0);
    }
    bed.pass(15);
    bed.visit_all(&after).await;
    run(&bed, &after, 1).await;
    assert_eq!((kinds(&bed, "soc").len(), kinds(&bed, "team").len()), (6, 3));
    assert!(kinds(&bed, "ops").is_empty(), "nothing waited");
}

#[tokio::test]
async fn what_waits_for_a_renamed_channel_goes_to_the_new_name() {
    for had_digest in [false, true] {
        let bed = Bed::new().await;
        let mut before = watched(&bed, &["soc"]);
        if had_digest {
            before = before.with_channel(ChannelSettings { digest_over: 1, ..bed.channel("soc") });
        }
        bed.receivers.set("soc", Some(Reply::status(503)));
        fire(&bed, &before).await;
        run(&bed, &before, 1).await;
        let after = notifying(&without(&before, "soc"), &["desk"]).with_channel(bed.channel("desk"));
        run(&bed, &after, 2).await;
        assert_eq!((kinds(&bed, "desk"), tenants(&bed, "desk").len()), (vec!["digest".to_owned()], 3), "{had_digest}");
        assert!(kinds(&bed, "soc").is_empty() && kinds(&bed, "ops").is_empty());
        let unfinished = bed.deliveries().await.into_iter().filter(|delivery| !delivery.state.is_finished()).count();
        assert_eq!(unfinished, 0);
        assert!(!states(&bed, "soc").await.contains(&Dead), "{had_digest}");
    }
}

#[tokio::test]
async fn of_what_waited_for_a_channel_that_has_no_successor_the_operator_is_notified_once() {
    for is_removed in [false, true] {
        let bed = Bed::new().await;
        let before = watched(&bed, &["soc", "team"]);
        bed.receivers.set("team", Some(Reply::status(503)));
        fire(&bed, &before).await;
        run(&bed, &before, 1).await;
        let mut after = notifying(&before, &["soc"]);
        if is_removed {
            after = without(&after, "team");
        }
        run(&bed, &after, 2).await;
        assert_eq!(states(&bed, "team").await, [Dead; 3]);
        let told = bodies(&bed, "ops");
        let summary = told[0]["data"]["operator"]["summary"].as_str().unwrap();
        assert_eq!(
            (told.len(), summary.contains("3 messages"), summary.contains("`team`")),
            (1, true, true),
            "{summary}"
        );
        bed.receivers.set("team", None);
        bed.pass(60);
        run(&bed, &after, 1).await;
        assert!(kinds(&bed, "team").is_empty());
    }
}

#[tokio::test]
async fn what_waits_of_an_alert_that_is_over_goes_to_the_new_channel_too() {
    let bed = Bed::new().await;
    let before = watched(&bed, &["soc"]);
    bed.receivers.set("soc", Some(Reply::status(503)));
    fire(&bed, &before).await;
    run(&bed, &before, 1).await;
    bed.set_score("contoso", 400.0);
    bed.pass(15);
    bed.visit_all(&before).await;
    let after = notifying(&without(&before, "soc"), &["desk"]).with_channel(bed.channel("desk"));
    run(&bed, &after, 2).await;
    let told = bodies(&bed, "desk");
    assert_eq!(told.len(), 1, "{told:?}");
    let kinds: Vec<_> = told[0]["data"]["items"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect();
    assert_eq!(kinds, ["alert.firing", "alert.firing", "alert.resolved"]);
}

#[tokio::test]
async fn a_channel_with_a_new_destination_is_tried_at_once_and_notified_of_what_fires() {
    let bed = Bed::new().await;
    let before = watched(&bed, &["soc"]);
    fire(&bed, &before).await;
    run(&bed, &before, 1).await;
    let elsewhere = ChannelSettings { name: channel_name("soc"), ..bed.channel("elsewhere") };
    let after = before.clone().with_channel(elsewhere);
    run(&bed, &after, 3).await;
    assert_eq!(
        (kinds(&bed, "elsewhere"), tenants(&bed, "elsewhere")),
        (vec!["digest".into()], TENANTS.map(String::from).to_vec())
    );
    assert_eq!(kinds(&bed, "soc").len(), 3);
}

#[tokio::test]
async fn a_parked_channel_whose_url_is_fixed_is_tried_at_once_with_all_that_waited_and_nothing_twice() {
    let bed = Bed::new().await;
    let before = watched(&bed, &["soc"]);
    bed.receivers.set("soc", Some(Reply::status(404)));
    fire(&bed, &before).await;
    run(&bed, &before, 1).await;
    assert_eq!(bed.receivers.received_by("soc").len(), 1, "it is parked");
    let fixed = ChannelSettings { name: channel_name("soc"), ..bed.channel("fixed") };
    run(&bed, &before.clone().with_channel(fixed), 2).await;
    assert_eq!(kinds(&bed, "fixed"), ["alert.firing"; 3], "what waited, and no digest of it besides");
    assert_eq!(states(&bed, "soc").await, [Delivered; 3]);
}

#[tokio::test]
async fn a_parked_channel_whose_secret_is_another_one_is_tried_at_once_and_no_secret_is_kept() {
    let bed = Bed::new().await;
    let file = bed.directory.path().join("soc-url");
    let url = bed.receivers.add_webhook("old");
    std::fs::write(&file, &url).unwrap();
    let kind = ChannelKind::Webhook(Webhook {
        url: WebhookUrl::Secret(SecretReference::File(file.clone())),
        signing_secrets: Vec::new(),
    });
    let config = watched(&bed, &["soc"]).with_channel(ChannelSettings { kind, ..bed.channel("soc") });
    bed.receivers.set("old", Some(Reply::status(410)));
    fire(&bed, &config).await;
    run(&bed, &config, 1).await;
    std::fs::write(&file, bed.receivers.add_webhook("new")).unwrap();
    run(&bed, &config, 2).await;
    assert_eq!(kinds(&bed, "new"), ["alert.firing"; 3]);
    assert_eq!(bed.receivers.received_by("old").len(), 1);
    let known = format!("{:?}", bed.store.channels().await.unwrap());
    assert!(!known.contains(&url) && known.contains("destination: Some"), "{known}");
}

#[tokio::test]
async fn a_parked_channel_that_is_removed_and_added_again_is_tried_at_once() {
    let bed = Bed::new().await;
    let before = watched(&bed, &["soc"]);
    bed.receivers.set("soc", Some(Reply::status(404)));
    fire(&bed, &before).await;
    run(&bed, &before, 1).await;
    run(&bed, &notifying(&without(&before, "soc"), &[]), 1).await;
    let told = bodies(&bed, "ops");
    assert_eq!(told.len(), 2, "that it is parked, and that three messages have nowhere to go");
    bed.receivers.set("soc", None);
    run(&bed, &before, 2).await;
    assert_eq!((kinds(&bed, "soc"), tenants(&bed, "soc").len()), (vec!["digest".to_owned()], 3));
}

#[tokio::test]
async fn what_was_queued_for_another_audience_is_never_sent_there() {
    let bed = Bed::new().await;
    let before = watched(&bed, &["soc", "team"]);
    bed.receivers.set("team", Some(Reply::status(503)));
    fire(&bed, &before).await;
    run(&bed, &before, 1).await;
    let mut theirs = ChannelSettings { name: channel_name("team"), ..bed.channel("theirs") };
    theirs.fence.tenants = Some([tenant_id("fabrikam")].into());
    run(&bed, &before.clone().with_channel(theirs), 2).await;
    assert_eq!(tenants(&bed, "theirs"), ["fabrikam"]);
    assert_eq!(states(&bed, "team").await.iter().filter(|state| **state == Dead).count(), 2);
    assert_eq!(kinds(&bed, "ops").len(), 1, "the operator is notified of the two others");
}

#[tokio::test]
async fn a_check_against_the_state_says_what_a_reload_will_do() {
    let bed = Bed::new().await;
    let before = watched(&bed, &["soc", "team"]);
    bed.receivers.set("team", Some(Reply::status(503)));
    fire(&bed, &before).await;
    run(&bed, &before, 1).await;
    let moved = ChannelSettings { name: channel_name("soc"), ..bed.channel("moved") };
    let elsewhere = before.clone().with_channel(moved);
    let renamed = notifying(&without(&before, "team"), &["soc", "desk"]).with_channel(bed.channel("desk"));
    for (after, told_to, route, waiting) in [
        (before.clone(), vec!["soc", "team"], vec!["soc", "team"], vec!["team"]),
        (elsewhere, vec!["team"], vec!["soc", "team"], vec!["team"]),
        (renamed, vec!["soc", "team"], vec!["soc", "desk"], vec!["team"]),
    ] {
        let changes = outlook::changes(bed.store.as_ref(), &after, bed.clock.now()).await.unwrap();
        assert_eq!(changes.len(), 3);
        for change in changes {
            assert_eq!((change.told_to, change.channels), (channels(&told_to), channels(&route)));
            assert_eq!(change.waiting.into_iter().collect::<Vec<_>>(), channels(&waiting));
        }
    }
}
