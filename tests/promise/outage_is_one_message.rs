//! When Microsoft goes down, thirty tenants that can't be read are one message, and one when it is over.

use scorewatch::simulation::{
    Reply,
    cloud::{EntraRefusal, Fetch, SignIn},
};

use crate::harness::{Arrived, OPS, World};

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

/// The messages, each once, though its lines are listed as well.
fn messages(arrived: &[Arrived]) -> Vec<&Arrived> {
    arrived.iter().filter(|arrived| arrived.accepted && arrived.id == arrived.message).collect()
}

fn summary(arrived: &Arrived) -> &str {
    arrived.body["data"]["operator"]["summary"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_reported_once_and_once_when_it_is_over_across_restarts() {
    let world = world().await;
    let service = world.run().await;
    world.checked(&service, "t29", 2).await;
    world.cloud.set_every_fetch(Some(Fetch::Raw(Reply::html(503).retry_after("60"))));
    world.until(&service, OPS, |arrived| !messages(arrived).is_empty()).await;

    assert!(service.stop().await.success());
    let service = world.run().await;
    world.checked(&service, "t29", 8).await;
    world.quiet(&service).await;
    let arrived = world.arrived(OPS);
    let said = messages(&arrived);
    assert_eq!(said.len(), 1, "{:?}", said.iter().map(|arrived| summary(arrived)).collect::<Vec<_>>());
    assert!(summary(said[0]).starts_with("32 of 32 tenants can't be read"), "{}", summary(said[0]));
    assert_eq!(said[0].body["data"]["operator"]["class"], "microsoft-down");

    world.cloud.set_every_fetch(None);
    world.until(&service, OPS, |arrived| messages(arrived).len() > 1).await;
    world.checked(&service, "t29", 8).await;
    world.quiet(&service).await;
    let arrived = world.arrived(OPS);
    let said = messages(&arrived);
    assert_eq!(said.len(), 2, "{:?}", said.iter().map(|arrived| summary(arrived)).collect::<Vec<_>>());
    assert!(summary(said[1]).starts_with("Microsoft can be read again after"), "{}", summary(said[1]));
    assert_eq!(said[0].body["data"]["alert"]["id"], said[1].body["data"]["alert"]["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_credential_that_expires_is_one_message_that_names_the_app() {
    let world = world().await;
    let service = world.run().await;
    world.checked(&service, "t29", 2).await;
    world.cloud.set_every_sign_in(Some(SignIn::Refuse(EntraRefusal::SecretExpired)));
    world.until(&service, OPS, |arrived| !messages(arrived).is_empty()).await;
    let arrived = world.arrived(OPS);
    let said = messages(&arrived);
    assert_eq!(said[0].body["data"]["operator"]["class"], "secret-expired");
    let app = uuid::Uuid::from_u128(0xa99).to_string();
    assert!(summary(said[0]).contains(&app) && summary(said[0]).contains("of 32"), "{}", summary(said[0]));
}
