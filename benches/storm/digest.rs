//! How soon everybody has been told of 10,000 alerts that fire at one time, by one channel that takes one message a second.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use scorewatch::{
    clock::Clock, config, domain::Scope, query, service::engine::Engine, store::DeliveryFilter, telemetry::Metrics,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    product::sweep,
    setup::{channel, configure, firing, receivers},
    usage::{resident, say},
};

const ALERTS: usize = 10_000;
/// As many as the store's writer takes into one transaction.
const GROUP: usize = 256;

pub(crate) async fn account() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (receivers, urls) = receivers(0).await;
    configure(folder.path(), "http://127.0.0.1:9", ALERTS, &urls);
    let config = Arc::new(config::load(&folder.path().join("scorewatch.yaml")).config.expect("a configuration"));
    let (_keep, changes) = watch::channel(config.clone());
    let started = Engine::start(changes, Clock::System, Metrics::default(), CancellationToken::new()).await;
    let (engine, _settled) = started.expect("the engine");
    let sweeping = tokio::spawn(sweep(engine.dispatcher.clone()));
    let (began, name) = (Instant::now(), channel(0));
    for first in (0..ALERTS).step_by(GROUP) {
        let queued = (first..ALERTS.min(first + GROUP)).map(|number| {
            let new = firing(number, "low", vec![name.clone()], Clock::System.now());
            engine.store.announce(new, Clock::System.now())
        });
        assert!(join_all(queued).await.into_iter().all(|queued| queued.expect("a commit")));
        engine.dispatcher.wake(&name);
    }
    let committed = began.elapsed();
    while waiting(&engine, &config).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let accounted = began.elapsed();
    let all = DeliveryFilter { limit: u32::MAX, ..DeliveryFilter::default() };
    let deliveries = engine.store.deliveries(&all).await.expect("the deliveries").len();
    say(&format!(
        "{ALERTS} alerts at one time: committed within {:.1} s; all accounted for after {:.1} s by {} messages; {deliveries} \
         deliveries; {:.0} MiB at the peak",
        committed.as_secs_f64(),
        accounted.as_secs_f64(),
        receivers.received().len(),
        resident(std::process::id()).1,
    ));
    sweeping.abort();
    engine.store.close().await;
}

/// How many deliveries of the channel are not finished.
async fn waiting(engine: &Engine, config: &config::Config) -> u64 {
    let channels = query::channels::list(engine.store.as_ref(), config, &Scope::All, Clock::System.now());
    channels.await.expect("the channels").iter().map(|channel| channel.waiting).sum()
}
