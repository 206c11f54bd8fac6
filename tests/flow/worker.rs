//! Each channel's worker on its own: nothing here waits for a channel but that channel.

use std::time::Duration;

use scorewatch::{
    clock::Clock,
    config::Config,
    delivery::{Dispatcher, dispatch::DRAIN},
    domain::TenantId,
    notify::{DeliveryState, backoff::Bounds},
    simulation::Reply,
};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    bed::Bed,
    delivery::queue,
    setup::{Build, channel_name, config},
};

/// Channels whose back-off is over at once.
fn quick(bed: &Bed, names: &[&str]) -> Config {
    names.iter().fold(config(), |config, name| {
        let mut channel = bed.channel(name);
        channel.retry = Bounds { first: Duration::ZERO, max: Duration::ZERO, ..channel.retry };
        config.with_channel(channel)
    })
}

async fn arrived(told: &mut UnboundedReceiver<TenantId>, count: usize) {
    for _ in 0..count {
        told.recv().await.unwrap();
    }
}

/// Asks the workers to stop, and lets the time pass that they are given.
async fn stop(bed: &Bed, dispatcher: &Dispatcher) {
    bed.shutdown.cancel();
    let pass = async {
        loop {
            bed.clock.advance(DRAIN);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = dispatcher.stopped() => {}
        () = pass => {}
    }
}

#[tokio::test]
async fn a_worker_sends_what_it_is_woken_for_until_it_is_taken() {
    let bed = Bed::by(Clock::System).await;
    let (dispatcher, _config, mut told) = bed.dispatcher(quick(&bed, &["soc"]));
    bed.receivers.script("soc", vec![Reply::status(503), Reply::html(502), Reply::close()]);
    queue(bed.store.as_ref(), "one", "low", &["soc"], bed.clock.now()).await;
    dispatcher.wake(&channel_name("soc"));
    arrived(&mut told, 1).await;
    assert_eq!(bed.receivers.received_by("soc").len(), 4);
    queue(bed.store.as_ref(), "two", "low", &["soc"], bed.clock.now()).await;
    dispatcher.wake(&channel_name("soc"));
    arrived(&mut told, 1).await;
    assert_eq!(bed.deliveries().await.last().unwrap().state, DeliveryState::Delivered);
    stop(&bed, &dispatcher).await;
}

#[tokio::test]
async fn a_sweep_finds_what_nobody_was_woken_for() {
    let bed = Bed::new().await;
    queue(bed.store.as_ref(), "one", "low", &["soc", "ops"], bed.clock.now()).await;
    let (dispatcher, _config, mut told) = bed.dispatcher(quick(&bed, &["soc", "ops"]));
    dispatcher.sweep().await;
    arrived(&mut told, 2).await;
    let delivered = bed.deliveries().await;
    assert!(delivered.iter().all(|delivery| delivery.state == DeliveryState::Delivered));
    stop(&bed, &dispatcher).await;
}

#[tokio::test]
async fn a_receiver_that_hangs_has_one_request_and_delays_no_other() {
    let bed = Bed::new().await;
    let (dispatcher, _config, mut told) = bed.dispatcher(quick(&bed, &["hanging", "soc"]));
    bed.receivers.set("hanging", Some(Reply::hang()));
    for (name, rule) in [("one", "low"), ("two", "drop"), ("three", "blind")] {
        queue(bed.store.as_ref(), name, rule, &["hanging", "soc"], bed.clock.now()).await;
    }
    dispatcher.wake(&channel_name("hanging"));
    bed.receivers.wait_for(|received| received.len() == 1).await;
    dispatcher.wake(&channel_name("hanging"));
    dispatcher.wake(&channel_name("soc"));
    arrived(&mut told, 3).await;
    assert_eq!(bed.receivers.received_by("soc").len(), 3);
    assert_eq!(bed.receivers.received_by("hanging").len(), 1);
    stop(&bed, &dispatcher).await;
}

#[tokio::test]
async fn an_attempt_cut_off_by_shutdown_is_repeated_with_its_mark_and_nothing_else_is_begun() {
    let bed = Bed::new().await;
    let config = quick(&bed, &["soc"]);
    let (dispatcher, _config, _told) = bed.dispatcher(config.clone());
    bed.receivers.set("soc", Some(Reply::hang()));
    for name in ["one", "two"] {
        queue(bed.store.as_ref(), name, name, &["soc"], bed.clock.now()).await;
    }
    dispatcher.wake(&channel_name("soc"));
    bed.receivers.wait_for(|received| received.len() == 1).await;
    stop(&bed, &dispatcher).await;
    let states: Vec<_> = bed.deliveries().await.iter().map(|delivery| delivery.state).collect();
    assert_eq!(states, [DeliveryState::Sending, DeliveryState::Queued]);

    bed.receivers.set("soc", None);
    assert_eq!(bed.store.recover(bed.clock.now()).await.unwrap(), 1);
    let bed = Bed { shutdown: tokio_util::sync::CancellationToken::new(), ..bed };
    let (dispatcher, _config, mut told) = bed.dispatcher(config);
    dispatcher.sweep().await;
    arrived(&mut told, 2).await;
    let marks: Vec<_> = bed.receivers.received()[1..]
        .iter()
        .map(|request| request.json()["data"]["notification"]["possible_duplicate"] == true)
        .collect();
    assert_eq!(marks, [true, false]);
    stop(&bed, &dispatcher).await;
}
