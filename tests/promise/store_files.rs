//! A store whose file is gone is noticed, though its open connection still works: in `/readyz`, the log, and by the operator.

use std::fs;

use crate::harness::{OPS, World, get};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_store_file_shows_in_readyz_and_the_operator_is_notified() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    let address = service.listening().await;
    assert_eq!(get(address, "/readyz").await.0, 200);
    fs::remove_file(world.folder.path().join("data/scorewatch.db")).unwrap();
    service.says("the store file was deleted or moved").await;
    let (status, body) = get(address, "/readyz").await;
    assert_eq!(status, 503);
    assert!(body.contains("file was deleted or moved"), "{body}");
    let is_notified = |arrived: &[crate::harness::Arrived]| {
        arrived.iter().any(|arrived| arrived.body["data"]["operator"]["class"] == "store-file-gone")
    };
    world.until(&service, OPS, is_notified).await;
    assert!(service.stop().await.success());
}
