//! When Microsoft goes down, thirty tenants that can't be read are one message, and one when it is over.

use scorewatch::simulation::{
    Reply,
    cloud::{EntraRefusal, Fetch, SignIn},
};

use crate::harness::{OPS, Told, World};

/// With `contoso` and the sentinel thirty-two.
const MORE: usize = 30;

async fn world() -> World {
    let mut world = World::with_cloud(|settings| settings.token_life = std::time::Duration::from_secs(2)).await;
    // Long enough that all fail for as long within one look at them, on a machine with much to do, too.
    world.setup.blind_after = "20s";
    for number in 0..MORE {
        world.add_tenant(&format!("t{number:02}"));
    }
    world
}

/// The messages, each once, though its lines are told of as well.
fn messages(told: &[Told]) -> Vec<&Told> {
    told.iter().filter(|told| told.accepted && told.id == told.message).collect()
}

fn summary(told: &Told) -> &str {
    told.body["data"]["operator"]["summary"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_told_once_and_once_when_it_is_over_also_over_restarts() {
    let world = world().await;
    let service = world.run().await;
    world.checked(&service, "t29", 2).await;
    world.cloud.set_every_fetch(Some(Fetch::Raw(Reply::html(503).retry_after("60"))));
    world.until(&service, OPS, |told| !messages(told).is_empty()).await;

    assert!(service.stop().await.success());
    let service = world.run().await;
    world.checked(&service, "t29", 8).await;
    world.quiet(&service).await;
    let told = world.told(OPS);
    let said = messages(&told);
    assert_eq!(said.len(), 1, "{:?}", said.iter().map(|told| summary(told)).collect::<Vec<_>>());
    assert!(summary(said[0]).starts_with("32 of 32 tenants can't be read"), "{}", summary(said[0]));
    assert_eq!(said[0].body["data"]["operator"]["class"], "microsoft-down");

    world.cloud.set_every_fetch(None);
    world.until(&service, OPS, |told| messages(told).len() > 1).await;
    world.checked(&service, "t29", 8).await;
    world.quiet(&service).await;
    let told = world.told(OPS);
    let said = messages(&told);
    assert_eq!(said.len(), 2, "{:?}", said.iter().map(|told| summary(told)).collect::<Vec<_>>());
    assert!(summary(said[1]).starts_with("Microsoft can be read again after"), "{}", summary(said[1]));
    assert_eq!(said[0].body["data"]["alert"]["id"], said[1].body["data"]["alert"]["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_credential_that_expires_is_one_message_that_names_the_app() {
    let world = world().await;
    let service = world.run().await;
    world.checked(&service, "t29", 2).await;
    world.cloud.set_every_sign_in(Some(SignIn::Refuse(EntraRefusal::SecretExpired)));
    world.until(&service, OPS, |told| !messages(told).is_empty()).await;
    let told = world.told(OPS);
    let said = messages(&told);
    assert_eq!(said[0].body["data"]["operator"]["class"], "secret-expired");
    let app = uuid::Uuid::from_u128(0xa99).to_string();
    assert!(summary(said[0]).contains(&app) && summary(said[0]).contains("of 32"), "{}", summary(said[0]));
}
