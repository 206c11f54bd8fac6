//! One SQLite store, one process.

use crate::harness::{LOW, SOC, Service, World, kinds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_store_is_refused_and_the_first_goes_on() {
    let world = World::new().await;
    let first = world.run().await;
    world.checked(&first, "contoso", 1).await;
    let second = Service::spawn(&world.folder.config(), &[]);
    assert_eq!(second.ended().await.code(), Some(1));
    assert!(second.log().contains("in use by another scorewatch process"), "{}", second.log());
    world.set_score("contoso", LOW);
    world.settle(&first, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);
    let listed = world.listing(&["alerts", "list", "--json", "--tenant", "contoso"]).await;
    assert_eq!(listed.len(), 1, "listings work beside the service");
}
