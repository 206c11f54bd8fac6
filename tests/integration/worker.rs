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
    delivery::queue,
    fixture::Fixture,
    setup::{Build, channel_name, config},
};
use crate::harness::event;

/// Channels whose back-off is over immediately.
fn quick(fixture: &Fixture, names: &[&str]) -> Config {
    names.iter().fold(config(), |config, name| {
        let mut channel = fixture.channel(name);
        channel.retry = Bounds { first: Duration::ZERO, max: Duration::ZERO, ..channel.retry };
        config.with_channel(channel)
    })
}

async fn arrived(settled: &mut UnboundedReceiver<TenantId>, count: usize) {
    for _ in 0..count {
        assert!(event(settled.recv()).await.flatten().is_some(), "the worker has ended or hangs");
    }
}

/// Waits until that many requests have come in.
async fn received(fixture: &Fixture, count: usize) {
    let all = fixture.receivers.wait_for(|received| received.len() == count);
    assert!(event(all).await.is_some(), "nothing is sent");
}

/// Asks the workers to stop, and lets the time pass that they are given.
async fn stop(fixture: &Fixture, dispatcher: &Dispatcher) {
    fixture.shutdown.cancel();
    let pass = async {
        loop {
            fixture.clock.advance(DRAIN);
            tokio::task::yield_now().await;
        }
    };
    let stopped = async {
        tokio::select! {
            () = dispatcher.stopped() => {}
            () = pass => {}
        }
    };
    assert!(event(stopped).await.is_some(), "the workers never stop");
}

#[tokio::test]
async fn a_worker_sends_what_it_is_woken_for_until_it_is_taken() {
    let fixture = Fixture::by(Clock::System).await;
    let (dispatcher, _config, mut settled) = fixture.dispatcher(quick(&fixture, &["soc"]));
    fixture.receivers.script("soc", vec![Reply::status(503), Reply::html(502), Reply::close()]);
    queue(fixture.store.as_ref(), "one", "low", &["soc"], fixture.clock.now()).await;
    dispatcher.wake(&channel_name("soc"));
    arrived(&mut settled, 1).await;
    assert_eq!(fixture.receivers.received_by("soc").len(), 4);
    queue(fixture.store.as_ref(), "two", "low", &["soc"], fixture.clock.now()).await;
    dispatcher.wake(&channel_name("soc"));
    arrived(&mut settled, 1).await;
    assert_eq!(fixture.deliveries().await.last().unwrap().state, DeliveryState::Delivered);
    stop(&fixture, &dispatcher).await;
}

#[tokio::test]
async fn a_sweep_finds_what_nobody_was_woken_for() {
    let fixture = Fixture::new().await;
    queue(fixture.store.as_ref(), "one", "low", &["soc", "ops"], fixture.clock.now()).await;
    let (dispatcher, _config, mut settled) = fixture.dispatcher(quick(&fixture, &["soc", "ops"]));
    dispatcher.sweep().await;
    arrived(&mut settled, 2).await;
    let delivered = fixture.deliveries().await;
    assert!(delivered.iter().all(|delivery| delivery.state == DeliveryState::Delivered));
    stop(&fixture, &dispatcher).await;
}

#[tokio::test]
async fn a_receiver_that_hangs_has_one_request_and_delays_no_other() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, mut settled) = fixture.dispatcher(quick(&fixture, &["hanging", "soc"]));
    fixture.receivers.set("hanging", Some(Reply::hang()));
    for (name, rule) in [("one", "low"), ("two", "drop"), ("three", "blind")] {
        queue(fixture.store.as_ref(), name, rule, &["hanging", "soc"], fixture.clock.now()).await;
    }
    dispatcher.wake(&channel_name("hanging"));
    received(&fixture, 1).await;
    dispatcher.wake(&channel_name("hanging"));
    dispatcher.wake(&channel_name("soc"));
    arrived(&mut settled, 3).await;
    assert_eq!(fixture.receivers.received_by("soc").len(), 3);
    assert_eq!(fixture.receivers.received_by("hanging").len(), 1);
    stop(&fixture, &dispatcher).await;
}

#[tokio::test]
async fn an_attempt_cut_off_by_shutdown_is_repeated_with_its_mark_and_nothing_else_is_begun() {
    let fixture = Fixture::new().await;
    let config = quick(&fixture, &["soc"]);
    let (dispatcher, _config, _settled) = fixture.dispatcher(config.clone());
    fixture.receivers.set("soc", Some(Reply::hang()));
    for name in ["one", "two"] {
        queue(fixture.store.as_ref(), name, name, &["soc"], fixture.clock.now()).await;
    }
    dispatcher.wake(&channel_name("soc"));
    received(&fixture, 1).await;
    stop(&fixture, &dispatcher).await;
    let states: Vec<_> = fixture.deliveries().await.iter().map(|delivery| delivery.state).collect();
    assert_eq!(states, [DeliveryState::Sending, DeliveryState::Queued]);

    fixture.receivers.set("soc", None);
    assert_eq!(fixture.store.recover(fixture.clock.now()).await.unwrap(), 1);
    let fixture = Fixture { shutdown: tokio_util::sync::CancellationToken::new(), ..fixture };
    let (dispatcher, _config, mut settled) = fixture.dispatcher(config);
    dispatcher.sweep().await;
    arrived(&mut settled, 2).await;
    let marks: Vec<_> = fixture.receivers.received()[1..]
        .iter()
        .map(|request| request.json()["data"]["notification"]["possible_duplicate"] == true)
        .collect();
    assert_eq!(marks, [true, false]);
    stop(&fixture, &dispatcher).await;
}
