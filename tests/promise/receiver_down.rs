//! A message is delivered once its receiver takes it; a receiver that is down delays nobody else.

use std::time::Duration;

use scorewatch::simulation::Reply;

use crate::harness::{LOW, SOC, World, kinds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_tried_again_with_the_same_id_until_it_is_taken() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.receivers.script(SOC, vec![Reply::html(503), Reply::status(502), Reply::text(500, "later")]);
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
    world.settle(&service, SOC).await;
    let tries: Vec<_> = world.arrived(SOC).into_iter().filter(|arrived| arrived.tenant == "contoso").collect();
    let taken: Vec<_> = tries.iter().map(|arrived| arrived.accepted).collect();
    assert_eq!(taken, [false, false, false, true]);
    assert!(tries.iter().all(|arrived| arrived.id == tries[0].id && !arrived.id.is_empty()));
    let marked: Vec<_> = tries.iter().map(|arrived| arrived.possible_duplicate).collect();
    assert_eq!(marked, [false, false, true, true], "after a 502, the message may have been delivered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_asks_for_time_gets_it() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.receivers.script(SOC, vec![Reply::status(429).retry_after("2"), Reply::status(503).retry_after("1.5")]);
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
    let tries = world.arrived(SOC);
    assert_eq!(tries.len(), 3);
    assert!(tries[1].at.duration_since(tries[0].at) >= Duration::from_secs(2), "two seconds were asked for");
    assert!(tries[2].at.duration_since(tries[1].at) >= Duration::from_millis(1_500), "one and a half were asked for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_hangs_or_fails_delays_no_other() {
    let mut world = World::new().await;
    for channel in ["hanging", "failing"] {
        let url = world.receivers.add_webhook(channel);
        world.setup.webhook(channel, &url);
    }
    world.receivers.set("hanging", Some(Reply::hang()));
    world.receivers.set("failing", Some(Reply::html(503)));
    world.setup.rules = world.setup.rules.replace("[soc]", "[hanging, failing, soc]");
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.until(&service, "hanging", |arrived| !arrived.is_empty()).await;
    world.until(&service, "failing", |arrived| arrived.len() > 1).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);
    assert_eq!(world.arrived("hanging").len(), 1, "one request in flight");
    world.receivers.set("failing", None);
    world
        .until(&service, "failing", |arrived| {
            arrived.iter().any(|arrived| arrived.accepted && arrived.tenant == "contoso")
        })
        .await;
    assert_eq!(kinds(&world.accepted("failing", "contoso")), [("alert.firing", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_gone_parks_its_channel_and_the_operator_is_notified() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.receivers.set(SOC, Some(Reply::status(410)));
    world.set_score("contoso", LOW);
    world
        .until(&service, crate::harness::OPS, |arrived| {
            arrived.iter().any(|arrived| arrived.kind == "operator.channel")
        })
        .await;
    let arrived = world.arrived(crate::harness::OPS);
    assert_eq!(arrived[0].body["data"]["operator"]["channel"], SOC);
    assert!(arrived[0].body["data"]["operator"]["hint"].as_str().unwrap().contains("unpark"));
    world.checked(&service, "contoso", 3).await;
    // Its oldest message is tried again from time to time, and no other.
    let ids: std::collections::BTreeSet<_> = world.arrived(SOC).into_iter().map(|arrived| arrived.id).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    world.receivers.set(SOC, None);
    // It is tried on its own, too: whoever is first.
    drop(world.command(&["channels", "unpark", SOC]).await);
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)], "the queue was kept");
}
