//! SIGTERM ends the process with exit 0 within ten seconds, whatever hangs.

use std::time::Duration;

use scorewatch::simulation::{Reply, cloud::Fetch};

use crate::world::{LOW, SOC, World, entra};

/// The promise, for a process that is let run.
const WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_an_idle_service_with_exit_0() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    let (status, took) = service.stop_timed().await;
    assert_eq!(status.code(), Some(0));
    assert!(took < WITHIN, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_a_service_that_waits_for_tenants_and_receivers_that_hang() {
    let mut world = World::new().await;
    world.add_tenant("hangs");
    let service = world.run().await;
    world.checked(&service, "hangs", 1).await;
    world.cloud.set_fetch(entra("hangs"), Some(Fetch::Raw(Reply::hang())));
    world.checked(&service, "hangs", 1).await;
    world.receivers.set(SOC, Some(Reply::hang()));
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |told| told.len() == 1).await;
    let (status, took) = service.stop_timed().await;
    assert_eq!(status.code(), Some(0));
    assert!(took < WITHIN, "{took:?}");

    world.receivers.set(SOC, None);
    let service = world.run().await;
    world.until(&service, SOC, |told| told.iter().any(|told| told.accepted)).await;
    let told = world.told(SOC);
    assert_eq!(told[0].id, told[1].id);
    assert!(told[1].possible_repeat, "whether the first attempt arrived is unknown");
}
