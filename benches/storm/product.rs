//! The product's own engine under a load of messages, in a process of its own. It prints when each message was committed.

use std::{path::Path, sync::Arc, time::Duration};

use scorewatch::{
    clock::Clock,
    config,
    delivery::{Dispatcher, dispatch::SWEEP_INTERVAL},
    domain::TenantId,
    service::engine::Engine,
    telemetry::Metrics,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc::UnboundedReceiver, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    setup::{CHANNELS, channel, firing},
    usage::{resident, say},
};

/// How long messages come evenly, how often, and to how many channels each time: every channel gets one every 2.5 s.
const STEADY: Duration = Duration::from_secs(30);
const STEADY_EVERY: Duration = Duration::from_millis(50);
const STEADY_CHANNELS: usize = 20;
/// How often all channels get a message at once, and the pause before, so that no channel's pace (one second) counts as delay.
const STORMS: usize = 5;
const CALM: Duration = Duration::from_millis(1_500);

/// What the product process did.
#[derive(Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) commits: Vec<Committed>,
    pub(crate) resident_mib: f64,
    pub(crate) peak_mib: f64,
}

/// One notification as the benchmark stores it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Committed {
    pub(crate) id: String,
    /// When its commit was durable, in nanoseconds of wall time.
    pub(crate) at: i64,
    pub(crate) is_storm: bool,
}

struct Load {
    engine: Engine,
    settled: UnboundedReceiver<TenantId>,
    /// Channels below this one hang.
    hanging: usize,
    commits: Vec<Committed>,
    /// Messages that can arrive and have not been settled.
    open: usize,
}

pub(crate) async fn run(folder: &Path, hanging: usize) {
    let config = config::load(&folder.join("scorewatch.yaml")).config.expect("a configuration");
    let (_keep, config) = watch::channel(Arc::new(config));
    let shutdown = CancellationToken::new();
    let started = Engine::start(config, Clock::System, Metrics::default(), shutdown.clone()).await;
    let (engine, settled) = started.expect("the engine");
    let sweeping = tokio::spawn(sweep(engine.dispatcher.clone()));
    let mut load = Load { engine, settled, hanging, commits: Vec::new(), open: 0 };
    load.steady().await;
    for _ in 0..STORMS {
        tokio::time::sleep(CALM).await;
        load.queue(0..CHANNELS, true).await;
        load.settled().await;
    }
    let (resident_mib, peak_mib) = resident(std::process::id());
    sweeping.abort();
    let done = Done { commits: load.commits, resident_mib, peak_mib };
    say(&serde_json::to_string(&done).expect("figures"));
}

/// Looks for what may be sent, as the service does.
pub(crate) async fn sweep(dispatcher: Dispatcher) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        dispatcher.sweep().await;
    }
}

impl Load {
    async fn steady(&mut self) {
        let mut ticks = tokio::time::interval(STEADY_EVERY);
        let rounds = usize::try_from(STEADY.as_nanos() / STEADY_EVERY.as_nanos()).expect("few");
        for round in 0..rounds {
            ticks.tick().await;
            let first = round * STEADY_CHANNELS % CHANNELS;
            self.queue(first..first + STEADY_CHANNELS, false).await;
        }
        self.settled().await;
    }

    /// Commits one notification to these channels and wakes them, as a check does.
    async fn queue(&mut self, channels: std::ops::Range<usize>, is_storm: bool) {
        self.open += channels.clone().filter(|number| *number >= self.hanging).count();
        let names: Vec<_> = channels.map(channel).collect();
        let rule = format!("rule-{}", self.commits.len());
        let new = firing(0, &rule, names.clone(), Clock::System.now());
        let id = new.notification.data.notification.id.as_str().to_owned();
        assert!(self.engine.store.announce(new, Clock::System.now()).await.expect("a commit"));
        self.commits.push(Committed { id, at: Clock::System.now().as_nanos(), is_storm });
        for name in &names {
            self.engine.dispatcher.wake(name);
        }
    }

    /// Waits until every message that can arrive has arrived.
    async fn settled(&mut self) {
        while self.open > 0 {
            self.settled.recv().await.expect("the engine lives");
            self.open -= 1;
        }
    }
}
