//! A resolved message never overtakes its firing one, however often the receiver fails in between.

use scorewatch::simulation::Reply;

use crate::harness::{HIGH, LOW, SOC, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_messages_of_an_alert_arrive_in_the_order_in_which_it_changed() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.receivers.set(SOC, Some(Reply::html(503)));
    for score in [LOW, HIGH, LOW, HIGH, LOW, HIGH] {
        world.set_score("contoso", score);
        world.checked(&service, "contoso", 2).await;
    }
    world
        .receivers
        .script(SOC, vec![Reply::status(204), Reply::close(), Reply::html(502), Reply::status(204), Reply::html(500)]);
    world.receivers.set(SOC, None);
    let taken = |arrived: &[crate::harness::Arrived]| arrived.iter().filter(|arrived| arrived.accepted).count();
    world.until(&service, SOC, |arrived| taken(arrived) == 6).await;
    world.settle(&service, SOC).await;
    let arrived = world.accepted(SOC, "contoso");
    let kinds: Vec<_> = arrived.iter().map(|arrived| arrived.kind.as_str()).collect();
    assert_eq!(kinds, ["alert.firing", "alert.resolved"].repeat(3));
    assert!(arrived.windows(2).all(|pair| pair[0].body["timestamp"].as_str() <= pair[1].body["timestamp"].as_str()));
    let mut ids: Vec<_> = arrived.iter().map(|arrived| &arrived.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 6, "each is its own notification");
}
