//! A secret may be kept wherever the operator keeps secrets, and changes there without a restart and without a gap.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use scorewatch::domain::EntraTenantId;
use uuid::Uuid;

use crate::harness::{HIGH, LOW, OPS, SOC, Vault, World, entra};

const APP: Uuid = Uuid::from_u128(0xa99);
const VAULT_APP: EntraTenantId = EntraTenantId(Uuid::from_u128(77));

/// A tenant whose secret is kept as `reference` says.
fn add(world: &mut World, id: &str, secret: &str, reference: &str) {
    world.cloud.add_tenant(entra(id), APP, secret, HIGH);
    world.setup.tenants.push(id.to_owned());
    let text = format!(
        "id: {id}\nname: {id} Ltd\ntenant_id: {}\ncredential: {{ client_id: {APP}, secret: {reference} }}\n",
        entra(id)
    );
    world.folder.write(&format!("tenants/{id}.yaml"), &text);
}

/// A world with a tenant in each kind of store, and a channel whose URL lies in a Vault.
async fn stored() -> (World, Vault) {
    let mut world = World::with_cloud(|settings| settings.token_life = Duration::from_secs(2)).await;
    let vault = Vault::start("hvs.the-token").await;
    world.folder.write("secrets/vault-token", "hvs.the-token\n");
    vault.set("tenants/in-vault", "secret-in-vault");
    vault.set("channels/stored", &world.receivers.add_webhook("stored"));
    world.cloud.add_tenant(VAULT_APP, APP, "secret-of-the-vaults-app", HIGH);
    world.cloud.set_key_vault_secret("in-key-vault", "secret-in-key-vault", None);
    world.folder.write("secrets/azure", "secret-of-the-vaults-app");
    let base = world.cloud.base_url();
    world.setup.top = format!(
        "secret_stores:\n  corp: {}\n  azure: {{ type: key-vault, address: \"{base}\", login: \"{base}\", \
         allow_private: true, tenant_id: {VAULT_APP}, credential: {{ client_id: {APP}, secret: {{ file: secrets/azure }} }} }}\n",
        vault.yaml()
    );
    world.folder.write("tenants/get-secret", "#!/bin/sh\necho \"secret-of-$1\"\n");
    fs::set_permissions(world.folder.path().join("tenants/get-secret"), fs::Permissions::from_mode(0o700)).unwrap();
    add(&mut world, "in-vault", "secret-in-vault", "{ store: corp, path: tenants/in-vault }");
    add(&mut world, "in-key-vault", "secret-in-key-vault", "{ store: azure, name: in-key-vault }");
    add(&mut world, "of-a-program", "secret-of-contoso", "{ exec: [get-secret, contoso] }");
    world.setup.channel("stored", "type: webhook, url: { store: corp, path: channels/stored }");
    world.setup.rules = world.setup.rules.replace("[soc]", "[soc, stored]");
    (world, vault)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_store_serves_a_tenant_and_a_changed_secret_is_used_without_a_restart() {
    let (world, vault) = stored().await;
    let service = world.run().await;
    for tenant in ["in-vault", "in-key-vault", "of-a-program"] {
        world.checked(&service, tenant, 2).await;
        world.set_score(tenant, LOW);
        world
            .until(&service, "stored", |reported| {
                reported.iter().any(|reported| reported.tenant == tenant && reported.accepted)
            })
            .await;
    }
    let reads = vault.reads();
    world.checked(&service, "in-vault", 3).await;
    assert_eq!((reads, vault.reads()), (2, 2), "each secret was read once, however often it was used");
    // The old one is refused, and the store is asked immediately: nobody waits five minutes.
    vault.set("tenants/in-vault", "another");
    world.cloud.set_secret(entra("in-vault"), "another");
    world.checked(&service, "in-vault", 4).await;
    world
        .patiently(&service, "the changed secret", async {
            while vault.reads() < 3 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    world.checked(&service, "in-vault", 4).await;
    // The channel moves to another address.
    let elsewhere = world.receivers.add_webhook("elsewhere");
    vault.set("channels/stored", &elsewhere);
    world.receivers.set("stored", Some(scorewatch::simulation::Reply::status(404)));
    world.set_score("of-a-program", HIGH);
    world.until(&service, "elsewhere", |reported| reported.iter().any(|reported| reported.accepted)).await;
    assert!(world.arrived(OPS).iter().all(|reported| reported.kind != "operator.channel"), "{:?}", world.arrived(OPS));
    assert!(!world.accepted(SOC, "in-vault").is_empty());
    assert!(service.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_online_check_names_each_secret_that_its_store_does_not_give() {
    let (mut world, vault) = stored().await;
    world.write();
    let output = world.command(&["check", "--online"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    vault.seal(true);
    add(&mut world, "unknown", "x", "{ store: azure, name: unknown }");
    world.write();
    let output = world.command(&["check", "--online"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    let secrets: Vec<&str> =
        said.lines().skip_while(|line| !line.trim_start().starts_with("SECRET ")).take(6).map(str::trim_end).collect();
    let secrets = secrets.join("\n").replace(&world.folder.path().display().to_string(), "FOLDER");
    for line in [
        "in-vault in the secret store corp",
        "can't be read: Vault is sealed",
        "does not exist: the Key Vault has no secret of this name, or version",
        "program FOLDER/tenants/get-secret",
    ] {
        assert!(secrets.contains(line), "{line}:\n{said}");
    }
    assert!(!said.contains("secret-in-key-vault") && !said.contains("hvs."), "{said}");
    // Nothing is asked to see whether a configuration is valid.
    assert_eq!(world.command(&["check"]).await.status.code(), Some(0));
}

/// Two channels of two customers, whose addresses in the store differ in their names only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_by_hand_to_a_receiver_that_another_customer_reads() {
    let (mut world, vault) = stored().await;
    let url = world.receivers.add_webhook("shared");
    vault.set("channels/of-vault", &url);
    vault.set("channels/of-key-vault", &format!("{url}/"));
    let stored =
        |name: &str| format!("type: webhook, url: {{ store: corp, path: channels/{name} }}, tenants: [in-{name}]");
    world.setup.channel("vault", &stored("vault").replace("channels/vault", "channels/of-vault"));
    world.setup.channel("key-vault", &stored("key-vault").replace("channels/key-vault", "channels/of-key-vault"));
    world.write();
    let by_hand = ["preview", "--rule", "device-score-low", "--channel", "vault", "--send"];
    let reported = "channel `vault` sends to the same receiver as channel `key-vault`, and their audiences differ";
    let output = world.command(&by_hand).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("not sent: {reported}")), "{output:?}");
    assert!(world.receivers.received_by("shared").is_empty(), "another customer reads there");
    let output = world.command(&["check", "--online", "--json"]).await;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcomes: Vec<_> = report["channels"].as_array().unwrap().iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.as_str().unwrap().contains("the same receiver")).count(), 2);
    assert!(
        outcomes.iter().any(|outcome| outcome == reported) && outcomes.iter().any(|outcome| outcome == "ok"),
        "{report:#}"
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");

    vault.set("channels/of-key-vault", &world.receivers.add_webhook("own"));
    let output = world.command(&by_hand).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(world.receivers.received_by("shared").len(), 1);
    let output = world.command(&["check", "--online"]).await;
    assert!(output.status.success(), "{output:?}");
}
