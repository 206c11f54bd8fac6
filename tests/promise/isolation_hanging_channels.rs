//! Receivers that hang delay nobody else, though they are many: the others get everything while each of them hangs.

use std::{fmt::Write, sync::Arc};

use scorewatch::simulation::{Reply, receiver::Received};

use crate::harness::{HIGH, LOW, World};

const CHANNELS: usize = 1_000;

/// Whether this is one of three in ten that hang.
const fn hangs(number: usize) -> bool {
    number % 10 < 3
}

fn name(number: usize) -> String {
    format!("channel-{number}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_of_a_thousand_receivers_hang_and_the_others_get_everything() {
    let mut world = World::new().await;
    let mut notify = String::new();
    for number in 0..CHANNELS {
        let name = name(number);
        // Longer than the test: whoever hangs does so to its end.
        let url = world.receivers.add_webhook(&name);
        world.setup.channel(&name, &format!("type: webhook, url: \"{url}\", timeout: 1h"));
        // A connection of its own for each answer, so that not all are open at once.
        let reply = if hangs(number) { Reply::hang() } else { Reply::status(204).header("connection", "close") };
        world.receivers.set(&name, Some(reply));
        write!(notify, "{}{name}", if number == 0 { "" } else { ", " }).unwrap();
    }
    world.setup.rules = world.setup.rules.replace("[soc]", &format!("[{notify}]"));
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;

    let (hanging, healthy) = (CHANNELS * 3 / 10, CHANNELS * 7 / 10);
    world.set_score("contoso", LOW);
    let all_begun = world.receivers.wait_for(|received| received.len() >= CHANNELS);
    world.patiently(&service, "a first request to every receiver", all_begun).await;
    let taken = |received: &[Arc<Received>]| received.iter().filter(|request| request.accepted()).count();
    for (score, times) in [(HIGH, 2), (LOW, 3), (HIGH, 4)] {
        world.set_score("contoso", score);
        let arrived = world.receivers.wait_for(|received| taken(received) >= times * healthy);
        world.patiently(&service, "the next message at every healthy receiver", arrived).await;
    }

    let kinds = |number: usize| {
        let received = world.receivers.received_by(&name(number));
        received.iter().map(|request| request.json()["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let whole = ["alert.firing", "alert.resolved"].repeat(2);
    for number in 0..CHANNELS {
        let expected = if hangs(number) { &whole[..1] } else { &whole };
        assert_eq!(kinds(number), expected, "channel {number}");
    }
    assert_eq!(world.receivers.received().len(), hanging + 4 * healthy, "one request in flight to each that hangs");
}
