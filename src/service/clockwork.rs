//! The clockwork: tokio-cron-scheduler drives the recurring jobs. It is no source of truth: a job only says that it is time,
//! and whoever is told asks the store what is due. So a run that the clockwork loses is made up by the next.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Every second: whose check is due?
const DUE_SCAN: &str = "* * * * * *";
/// Every five seconds: has another process queued deliveries?
const SWEEP: &str = "*/5 * * * * *";
/// Every ten seconds: the sign of life.
const BEAT: &str = "*/10 * * * * *";
/// Every hour: retention, credentials about to expire, drills.
const HOUSEKEEPING: &str = "0 7 * * * *";

/// What the jobs say. A job that is told again before it was heard is told once.
#[derive(Debug, Clone, Default)]
pub struct Ticks {
    /// Look who is due.
    pub due_scan: Arc<Notify>,
    /// Look for deliveries that no hint told of.
    pub sweep: Arc<Notify>,
    /// Leave a sign of life.
    pub beat: Arc<Notify>,
    /// Tidy up.
    pub housekeeping: Arc<Notify>,
}

/// The running clockwork.
pub struct Clockwork {
    scheduler: JobScheduler,
}

impl Clockwork {
    /// Starts the recurring jobs.
    ///
    /// # Errors
    /// [`JobSchedulerError`] when the scheduler can't be started.
    pub async fn start(ticks: &Ticks) -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        for (cron, tick) in [
            (DUE_SCAN, &ticks.due_scan),
            (SWEEP, &ticks.sweep),
            (BEAT, &ticks.beat),
            (HOUSEKEEPING, &ticks.housekeeping),
        ] {
            let tick = tick.clone();
            scheduler.add(Job::new(cron, move |_, _| tick.notify_one())?).await?;
        }
        scheduler.start().await?;
        Ok(Self { scheduler })
    }

    /// Stops the recurring jobs.
    pub async fn stop(mut self) {
        // It only sets a flag; an error would mean that the scheduler is gone already.
        let _ = self.scheduler.shutdown().await;
    }
}
