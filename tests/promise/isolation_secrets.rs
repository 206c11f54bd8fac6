//! A secret that can't be read concerns its own tenant or channel only: the service starts, reloads and goes on, and the operator
//! is notified.

use std::{fs, path::Path, process::Command};

use crate::harness::{LOW, OPS, SOC, World, entra};

/// Makes a pipe that nobody writes to: whoever opens it to read waits for ever.
fn plant_pipe(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn said_of(world: &World, tenant: &str) -> Option<serde_json::Value> {
    let blind =
        world.arrived(OPS).into_iter().find(|arrived| arrived.kind == "operator.blind" && arrived.tenant == tenant);
    blind.map(|arrived| arrived.body["data"]["operator"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_missing_secret_blinds_its_tenant_and_keeps_nobody_from_being_watched() {
    let mut world = World::new().await;
    world.add_tenant("lost");
    // Nothing comes of waiting: nobody but the operator can put the secret there.
    world.setup.blind_after = "1h";
    let secret = world.folder.path().join("secrets/lost");
    fs::remove_file(&secret).unwrap();
    let service = world.run().await;
    world.checked(&service, "contoso", 3).await;
    world.until(&service, OPS, |arrived| arrived.iter().any(|arrived| arrived.kind == "operator.blind")).await;
    let (_, metrics) = crate::harness::get(service.listening().await, "/metrics").await;
    assert!(metrics.contains("\nscorewatch_secrets_unreadable{used_by=\"tenant\"} 1\n"), "{metrics}");
    let operator = said_of(&world, "lost").unwrap();
    assert_eq!(operator["class"], "secret-unreadable");
    let hint = operator["hint"].as_str().unwrap();
    assert!(hint.contains("secrets/lost: create it"), "{hint}");
    let log = service.log();
    assert!(log.contains("file `../secrets/lost` does not exist"), "{log}");
    world.checked(&service, "contoso", 3).await;
    fs::write(&secret, "secret-of-lost").unwrap();
    world.checked(&service, "lost", 2).await;
    let is_over = |arrived: &crate::harness::Arrived| {
        arrived.kind == "operator.blind" && arrived.body["data"]["alert"]["state"] == "resolved"
    };
    world.until(&service, OPS, |arrived| arrived.iter().any(is_over)).await;
    let of_it: Vec<_> = world.arrived(OPS).into_iter().filter(|arrived| arrived.tenant == "lost").collect();
    assert_eq!(of_it.len(), 2, "one message that it can't be read, whatever the number of checks, and one that it can");
    let (_, metrics) = crate::harness::get(service.listening().await, "/metrics").await;
    assert!(metrics.contains("\nscorewatch_secrets_unreadable{used_by=\"tenant\"} 0\n"), "{metrics}");
    assert!(service.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_secrets_that_hang_as_there_are_places_blind_their_own_tenants_only() {
    let mut world = World::new().await;
    world.setup.top = "concurrency: 2\n".to_owned();
    world.setup.blind_after = "2s";
    let hang = ["hangs-1", "hangs-2", "hangs-3"];
    for tenant in hang {
        world.add_tenant(tenant);
        plant_pipe(&world.folder.path().join("secrets").join(tenant));
    }
    let service = world.run().await;
    world.checked(&service, "contoso", 3).await;
    let all = |arrived: &[crate::harness::Arrived]| {
        let blind = arrived.iter().filter(|arrived| arrived.kind == "operator.blind");
        let said: String = blind.map(|arrived| arrived.body.to_string()).collect();
        hang.iter().all(|tenant| said.contains(tenant))
    };
    world.until(&service, OPS, all).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == "contoso")).await;
    assert!(service.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_is_accepted_though_a_secret_can_not_be_read() {
    let mut world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    world.add_tenant("fabrikam");
    world.add_tenant("lost");
    plant_pipe(&world.folder.path().join("secrets/lost"));
    world.write();
    world.checked(&service, "fabrikam", 2).await;
    service.says("is not a regular file: it is a pipe").await;
    assert_eq!(world.cloud.tenant_counts(entra("lost")).token_requests, 0);
    assert!(service.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_whose_url_cannot_be_read_waits_and_resumes_on_its_own() {
    let mut world = World::new().await;
    world.setup.channel("late", "type: webhook, url: { file: secrets/late }");
    world.setup.channel("hangs", "type: webhook, url: { file: secrets/hangs }");
    world.setup.rules = world.setup.rules.replace("[soc]", "[soc, late, hangs]");
    plant_pipe(&world.folder.path().join("secrets/hangs"));
    let service = world.run().await;
    for channel in ["late", "hangs"] {
        let is_notified = |arrived: &[crate::harness::Arrived]| {
            arrived.iter().any(|arrived| {
                arrived.kind == "operator.channel" && arrived.body["data"]["operator"]["channel"] == channel
            })
        };
        world.until(&service, OPS, is_notified).await;
    }
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
    // Both are parked, and neither keeps the probes waiting.
    let parked = async {
        loop {
            let listed = world.listing(&["deliveries", "list", "--state", "parked", "--json"]).await;
            if listed.len() == 2 {
                return;
            }
            world.checked(&service, "contoso", 1).await;
        }
    };
    world.patiently(&service, "two parked deliveries", parked).await;
    let (status, _) = crate::harness::get(service.listening().await, "/healthz").await;
    assert_eq!(status, 200);
    let (_, metrics) = crate::harness::get(service.listening().await, "/metrics").await;
    assert!(metrics.contains("\nscorewatch_secrets_unreadable{used_by=\"channel\"} 2\n"), "{metrics}");
    let url = world.receivers.add_webhook("late");
    world.folder.write("secrets/late", &url);
    world.until(&service, "late", |arrived| arrived.iter().any(|arrived| arrived.kind == "alert.firing")).await;
    assert_eq!(world.listing(&["deliveries", "list", "--state", "dead", "--json"]).await.len(), 0);
    assert!(service.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_names_every_secret_that_can_not_be_read_and_nothing_else_reads_one() {
    let mut world = World::new().await;
    world.setup.channel("kept", "type: slack, url: { file: secrets/kept }");
    world.setup.channel("unset", "type: slack, url: { env: SCOREWATCH_TEST_UNSET }");
    world.setup.channel("systemd", "type: slack, url: { credential: slack }");
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    assert!(service.stop().await.success());
    for secret in ["contoso", "sentinel", "kept"] {
        plant_pipe(&world.folder.path().join("secrets").join(secret));
    }
    let output = world.command(&["check"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    for fault in [
        "file `../secrets/contoso` is not a regular file",
        "file `../secrets/sentinel` is not a regular file",
        "file `secrets/kept` is not a regular file",
        "environment variable `SCOREWATCH_TEST_UNSET` is not set",
        "systemd credential `slack` can't be looked up",
    ] {
        assert!(said.contains(fault), "{fault}:\n{said}");
    }
    for arguments in [
        &["alerts", "list"][..],
        &["deliveries", "list"],
        &["silences", "list"],
        &["tenants", "list"],
        &["channels", "list"],
        &["who-sees"],
        &["explain", "contoso", "device-score-low"],
        &["backtest", "--since", "1d"],
        &["check", "--against-state"],
        &["silences", "add", "--tenant", "contoso", "--for", "1h", "--comment", "test", "--author", "a"],
    ] {
        let output = world.command(arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        // The operator of this world has one channel, which is a warning.
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(!complained.contains("error") && !complained.contains("secrets/"), "{arguments:?}: {complained}");
    }
}
