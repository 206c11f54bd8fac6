//! A disk that is full, or fails to sync: the service stays up and says so, loses nothing, and goes on on its own.

use std::fs;

use super::{seed, shim::Shim, stage::Stage};
use crate::harness::{SENTINEL, SOC, get};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_reported_and_loses_nothing() {
    disk_trouble("full", "the disk is full").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_to_sync_is_reported_and_loses_nothing() {
    disk_trouble("broken", "can't be written to").await;
}

async fn disk_trouble(kind: &str, reported: &str) {
    let mut stage = Stage::new(&format!("disk {kind}"), seed()).await;
    let switch = stage.world.folder.path().join(format!("trouble.{kind}"));
    let trouble = switch.with_extension("").display().to_string();
    let shim = Shim::around(&stage.store()).with("SCOREWATCH_SHIM_TROUBLE", trouble);

    stage.turn_scores();
    let service = stage.spawn(&shim.environment());
    let address = service.listening().await;
    stage.world.until(&service, SOC, |reported| reported.len() > 5).await;
    fs::write(&switch, "").unwrap();
    stage.turn_scores();
    service.says("the store can't be written to").await;
    assert_eq!(get(address, "/readyz").await.0, 503);
    let (_, answer) = get(address, "/readyz").await;
    assert!(answer.contains(reported), "{answer}");
    assert_eq!(get(address, "/healthz").await.0, 200);
    // Tenants are asked on, though nothing of it can be kept.
    stage.world.checked(&service, SENTINEL, 1).await;

    fs::remove_file(&switch).unwrap();
    service.says("the store can be written to again").await;
    assert_eq!(get(address, "/readyz").await.0, 200);
    stage.world.settle(&service, SOC).await;
    stage.world.quiet(&service).await;

    // Killed in the middle of it, and started before there is space.
    stage.turn_scores();
    let before = stage.world.arrived(SOC).len();
    stage.world.until(&service, SOC, |reported| reported.len() > before).await;
    fs::write(&switch, "").unwrap();
    stage.world.checked(&service, SENTINEL, 1).await;
    service.kill();
    stage.gone().await;
    let refused = stage.spawn(&shim.environment());
    assert_eq!(refused.ended().await.code(), Some(1), "{}", refused.log());
    fs::remove_file(&switch).unwrap();
    stage.finish().await;
}
