//! The ticker: tokio-cron-scheduler drives the recurring jobs. It is not a source of truth: a job only says that it is time, and whoever
//! receives that asks the store what is due. So the next run makes up for one that was lost.
//!
//! It goes by the wall clock: set back, it would stand still until that time comes again. So somebody who goes by monotonic
//! time listens to it, and starts it again when nothing is heard.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinHandle};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::task;

/// Every second: whose check is due?
const DUE_SCAN: &str = "* * * * * *";
/// Every five seconds: has another process queued deliveries? Is a report due?
const SWEEP: &str = "*/5 * * * * *";
/// Every ten seconds: the heartbeat.
const HEARTBEAT: &str = "*/10 * * * * *";
/// Every hour: retention, credentials about to expire, drills.
const HOUSEKEEPING: &str = "0 7 * * * *";
/// A ticker that was not heard for that long stands still: it ticks every second.
const STILL_AFTER: Duration = Duration::from_secs(4);

/// One wake-up per job. A job that ticks again before its wake-up is received causes only one.
#[derive(Debug, Clone, Default)]
pub struct Ticks {
    /// Look who is due.
    pub due_scan: Arc<Notify>,
    /// Look for deliveries that no hint announced.
    pub sweep: Arc<Notify>,
    /// Look for reports that are due.
    pub reports: Arc<Notify>,
    /// Look for reports on months that are due.
    pub months: Arc<Notify>,
    /// Look whose secrets can't be read.
    pub secrets: Arc<Notify>,
    /// Write a heartbeat to the store.
    pub heartbeat: Arc<Notify>,
    /// Wakes the task that removes old data.
    pub housekeeping: Arc<Notify>,
}

/// A handle to the running ticker.
pub struct Ticker {
    listening: JoinHandle<()>,
    stop: CancellationToken,
}

impl Ticker {
    /// Starts the recurring jobs.
    ///
    /// # Errors
    /// [`JobSchedulerError`] when the scheduler can't be started.
    pub async fn start(ticks: &Ticks) -> Result<Self, JobSchedulerError> {
        let (heard, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let scheduler = start_scheduler(ticks, &heard).await?;
        let listen = listen(scheduler, ticks.clone(), heard, stop.clone());
        let listening = tokio::spawn(task::until("ticker", stop.clone(), listen));
        Ok(Self { listening, stop })
    }

    /// Stops the recurring jobs.
    pub async fn stop(self) {
        self.stop.cancel();
        // An error would mean that it is gone already.
        let _ = self.listening.await;
    }
}

/// A scheduler that runs; `heard` hears every tick of it.
async fn start_scheduler(ticks: &Ticks, heard: &Arc<Notify>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    // The scheduler reads the notation of each job again whenever it has run, so there is one job for each time.
    let jobs: [(_, &[&Arc<Notify>]); 4] = [
        (DUE_SCAN, &[&ticks.due_scan, heard]),
        (SWEEP, &[&ticks.sweep, &ticks.reports, &ticks.months, &ticks.secrets]),
        (HEARTBEAT, &[&ticks.heartbeat]),
        (HOUSEKEEPING, &[&ticks.housekeeping]),
    ];
    for (cron, woken) in jobs {
        let woken: Vec<_> = woken.iter().map(|tick| Arc::clone(tick)).collect();
        scheduler.add(Job::new(cron, move |_, _| woken.iter().for_each(|tick| tick.notify_one()))?).await?;
    }
    scheduler.start().await?;
    Ok(scheduler)
}

/// Restarts a scheduler that has stopped, until shutdown.
async fn listen(mut scheduler: JobScheduler, ticks: Ticks, heard: Arc<Notify>, stop: CancellationToken) {
    while let Some(tick) = stop.run_until_cancelled(tokio::time::timeout(STILL_AFTER, heard.notified())).await {
        if tick.is_ok() {
            continue;
        }
        match start_scheduler(&ticks, &heard).await {
            Ok(fresh) => {
                warn!("the recurring jobs stopped, as happens when the clock is set back; they are being restarted");
                let _ = std::mem::replace(&mut scheduler, fresh).shutdown().await;
            }
            Err(error) => error!(%error, "the recurring jobs have stopped and could not be restarted; trying again"),
        }
        let Ticks { due_scan, sweep, reports, months, secrets, heartbeat, housekeeping: _ } = &ticks;
        for missed in [due_scan, sweep, reports, months, secrets, heartbeat] {
            missed.notify_one();
        }
    }
    // It only sets a flag; an error would mean that the scheduler is gone already.
    let _ = scheduler.shutdown().await;
}
