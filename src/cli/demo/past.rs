//! The month before the demo, in a few seconds: rounds of real checks by a clock that is set by hand, so that the dashboard has something
//! to draw.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::{
    cli::Failure,
    clock::Clock,
    config::Config,
    domain::Timestamp,
    service::round,
    simulation::{Cloud, scenario::Stage},
};

/// How many days of history there are.
const DAYS: u32 = 31;
/// How often the clock of the past is moved, and how much more than the real one.
const TICK: Duration = Duration::from_millis(10);
const QUICKER: u32 = 20;
const HOUR: Duration = Duration::from_hours(1);

/// The readings, alerts and messages of the days before a demonstration begins.
pub(super) struct Past {
    now: Timestamp,
    clock: Clock,
    is_over: Arc<AtomicBool>,
}

impl Past {
    /// What is to be the present afterward.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, clock: Clock::manual(now.minus(hours(DAYS * 24))), is_over: Arc::default() }
    }

    /// The cloud lives in the past until that is over.
    pub(super) fn clock_of_the_cloud(&self) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        let (clock, is_over) = (self.clock.clone(), self.is_over.clone());
        Arc::new(move || if is_over.load(SeqCst) { Clock::System.now() } else { clock.now() })
    }

    /// Checks every tenant once a day, and the last day more often.
    pub(super) async fn play(&self, config: &Arc<Config>, stage: &Stage, cloud: &Cloud) -> Result<(), Failure> {
        let tenants: Vec<_> = config.tenants.values().cloned().collect();
        for back in (2..=DAYS).rev().map(|days| days * 24).chain([30, 24, 18, 12, 6, 3]) {
            let at = self.now.minus(hours(back));
            self.clock.advance(at.since(self.clock.now()));
            stage.set_back(cloud, back);
            let round = round::round(config, &tenants, self.clock.clone(), || {});
            tokio::select! {
                lines = round => drop(lines?),
                () = self.go_on() => {}
            }
        }
        stage.set_back(cloud, 0);
        self.is_over.store(true, SeqCst);
        Ok(())
    }

    /// Lets time pass quickly: whoever sends messages waits between two of them.
    async fn go_on(&self) {
        loop {
            tokio::time::sleep(TICK).await;
            self.clock.advance(TICK * QUICKER);
        }
    }
}

fn hours(count: u32) -> Duration {
    HOUR * count
}
