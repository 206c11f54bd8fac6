//! What is done again and again, each time the ticker says so.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    acceptance, blindness, credential, downtime, drill,
    engine::Engine,
    faults,
    month::{self, Months},
    report::{self, Reports},
};
use crate::{
    crash_point::{self, CrashPoint},
    domain::Timestamp,
    store::StoreError,
    task,
    telemetry::{Health, health::StoreTrouble},
};

/// Does a job each time the ticker says so, one after the other. One that panics is noted, and done again at the next tick.
pub(super) async fn on_each<F: Future<Output = ()>>(
    task: &'static str,
    tick: Arc<Notify>,
    shutdown: CancellationToken,
    job: impl Fn() -> F,
) {
    while shutdown.run_until_cancelled(tick.notified()).await.is_some() {
        // What it leaves half done at shutdown is made up by the next.
        shutdown.run_until_cancelled(task::brief(task, job())).await;
    }
}

/// What is looked at every few seconds: faults, tenants that can't be read, and whatever waits to be sent.
pub(super) async fn sweep(engine: Engine, health: Health) {
    let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
    if let Err(error) = faults::notify(engine.store.as_ref(), &config, now).await {
        error!(%error, "the operator could not be notified of a fault");
    }
    let passed_over = engine.checker.microsoft.passed_over();
    if !passed_over.is_empty() {
        let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
        if let Err(error) = credential::notify(engine.store.as_ref(), &config, passed_over, now).await {
            error!(%error, "the operator could not be notified of a rejected credential");
        }
    }
    notify_blindness(&engine).await;
    accept_owed(&engine).await;
    engine.dispatcher.sweep().await;
    health.dispatcher_swept();
}

/// Accepts what notices reported as accepted; of several replicas one does.
async fn accept_owed(engine: &Engine) {
    let Some(_tenure) = engine.lead() else { return };
    let config = engine.config.borrow().clone();
    if let Err(error) = acceptance::accept_owed(engine.store.as_ref(), &config, engine.clock.now()).await {
        error!(%error, "alerts that a notice reported as accepted could not be accepted; trying again");
    }
}

async fn notify_blindness(engine: &Engine) {
    let (config, store, now) = (engine.config.borrow().clone(), engine.store.as_ref(), engine.clock.now());
    let known = &engine.checker.outages;
    let notified = match engine.lead() {
        Some(_tenure) => blindness::notify(store, &config, known, now).await,
        None => blindness::look(store, &config, known, now).await.map(drop),
    };
    if let Err(error) = notified {
        error!(%error, "the operator could not be notified of tenants that can't be read; trying again");
    }
}

/// Queues the reports that are due.
pub(super) async fn queue_reports(engine: Engine, reports: Reports) {
    let Some(_tenure) = engine.lead() else { return reports.forget() };
    let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
    match report::queue_due(engine.store.as_ref(), &config, &reports, now).await {
        Ok(true) => engine.dispatcher.sweep().await,
        Ok(false) => {}
        Err(error) => error!(%error, "reports could not be queued; trying again"),
    }
}

/// Queues the reports on months that are due.
pub(super) async fn queue_months(engine: Engine, months: Months) {
    let Some(_tenure) = engine.lead() else { return months.forget() };
    let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
    match month::queue_due(engine.store.as_ref(), &config, &engine.checker.microsoft, &months, now).await {
        Ok(true) => engine.dispatcher.sweep().await,
        Ok(false) => {}
        Err(error) => error!(%error, "reports on months could not be queued; trying again"),
    }
}

/// Shows that the service lives and that the store can be written to.
pub(super) async fn heartbeat(engine: Engine, health: Health, store_recovered: Arc<Notify>) {
    let now = engine.clock.now();
    match engine.store.check_files().await {
        Err(StoreError::Gone(what)) => {
            health.store_failed(now, StoreTrouble::Gone(what));
            error!("the store {what}; everything recorded from now on is lost at the next start");
            let config = engine.config.borrow().clone();
            // The connection may still write: then the operator hears of it.
            if let Err(error) = faults::notify_of_files(engine.store.as_ref(), &config, what, now).await {
                error!(%error, "the operator could not be notified of it");
            }
            return;
        }
        Err(error) => error!(%error, "the store's files could not be checked"),
        Ok(()) => {}
    }
    let downtimes = &engine.checker.downtimes;
    if !note_suspensions(&engine, now).await {
        downtimes.store_failed(&engine.clock);
        return;
    }
    match beat(&engine, now).await {
        Ok(()) => {
            downtimes.store_written(&engine.clock);
            let has_recovered = health.is_store_in_trouble();
            health.store_written(now);
            if has_recovered {
                info!("the store can be written to again");
                store_recovered.notify_one();
            }
        }
        Err(error) => {
            end_if_replaced(&error);
            downtimes.store_failed(&engine.clock);
            let full = matches!(error, StoreError::Full);
            health.store_failed(now, if full { StoreTrouble::Full } else { StoreTrouble::Failed });
            error!(%error, "the store can't be written to");
        }
    }
}

/// Records time without a store, if that ends now, and that the service lives. What is recorded of downtime, by whichever replica, counts from
/// now on.
async fn beat(engine: &Engine, now: Timestamp) -> Result<(), StoreError> {
    let (store, downtimes) = (engine.store.as_ref(), &engine.checker.downtimes);
    let config = engine.config.borrow().clone();
    let has_notified = downtime::note_unwritten(store, &config, downtimes, &engine.clock).await?;
    store.heartbeat(now).await?;
    if has_notified || store.division().is_shared() {
        downtime::reread(store, downtimes).await?;
    }
    if has_notified {
        warn!("the store could not be written to for a while; this does not count against any tenant");
        engine.dispatcher.sweep().await;
    }
    Ok(())
}

/// Records suspensions before the heartbeat that would hide them from a restart. `false`: trying again.
async fn note_suspensions(engine: &Engine, now: Timestamp) -> bool {
    let _periods = engine.checker.downtimes.look(&engine.clock);
    // Whether the lease is good does not matter: it has run out in a suspension, and what is written is refused if it is another's by now.
    if !engine.store.division().leads() {
        // The replica that leads notices a suspension of the whole machine, and nobody missed this one alone.
        let downtimes = &engine.checker.downtimes;
        downtimes.unrecorded().into_iter().for_each(|downtime| downtimes.recorded(downtime));
        return true;
    }
    let config = engine.config.borrow().clone();
    match downtime::note_suspensions(engine.store.as_ref(), &config, &engine.checker.downtimes, now).await {
        Ok(has_notified) => {
            if has_notified {
                warn!("the service was suspended; this does not count against any tenant");
                engine.dispatcher.sweep().await;
            }
            true
        }
        Err(error) => {
            end_if_replaced(&error);
            error!(%error, "a suspension could not be recorded; trying again");
            false
        }
    }
}

/// Another service has taken the store over while this one was suspended or cut off. Nothing is written any more; started again, this one
/// waits for its turn.
fn end_if_replaced(error: &StoreError) {
    if let StoreError::InUse(by) = error {
        task::give_up("store", format!("was taken over by another service{by}"));
    }
}

/// What is done once an hour, by one of several replicas: warnings ahead of time, drills, and the removal of what is older than
/// retention. Which credentials are rejected is known only to who signs in with them, so of these each replica warns.
pub(super) async fn housekeeping(engine: Engine) {
    let tenure = engine.lead();
    // In each replica's log, as at its start.
    if let Err(error) = engine.store.look_at_standbys().await {
        error!(%error, "the database could not be asked for its standbys");
    }
    let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
    let rejected = engine.checker.microsoft.rejected();
    match credential::warn(engine.store.as_ref(), &config, rejected, tenure.is_some(), now).await {
        Ok(first) if tenure.is_some() => engine.metrics.credentials_expire(&first),
        Ok(_) => {}
        Err(error) => error!(%error, "credentials about to expire could not be looked up"),
    }
    let Some(_tenure) = tenure else { return };
    if let Err(error) = drill::queue_due(engine.store.as_ref(), &config, now).await {
        error!(%error, "drills could not be queued; trying again within the hour");
    }
    crash_point::reach(CrashPoint::BeforeRetention);
    loop {
        match engine.store.prune(now, config.retention).await {
            Ok(true) => {
                crash_point::reach(CrashPoint::BetweenSlices);
                tokio::task::yield_now().await;
            }
            Ok(false) => {
                crash_point::reach(CrashPoint::AfterRetention);
                break;
            }
            Err(error) => {
                error!(%error, "old samples and deliveries could not be removed");
                break;
            }
        }
    }
    engine.dispatcher.sweep().await;
}
