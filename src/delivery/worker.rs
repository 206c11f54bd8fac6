//! One channel's worker: takes its deliveries one after the other, at the channel's pace, one request in flight.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{dispatch::Dispatcher, operator, send};
use crate::{
    channel::{ChannelSettings, Verdict},
    config::Config,
    domain::{ChannelName, Labels, Timestamp},
    notify::backoff,
    store::{AttemptOutcome, Claim, ClaimedDelivery, StoreError},
};

/// How long to wait when the store does not answer as it should.
const STORE_TROUBLE_WAIT: Duration = Duration::from_secs(2);

/// Serves one channel until shutdown.
pub(super) async fn serve(
    dispatcher: Dispatcher,
    channel: ChannelName,
    hint: Arc<Notify>,
    shutdown: CancellationToken,
) {
    while !shutdown.is_cancelled() {
        let wait = match dispatcher.store.claim(&channel, dispatcher.clock.now()).await {
            Ok(Claim::Send(delivery)) => match deliver(&dispatcher, &channel, *delivery, &shutdown).await {
                Ok(pace) => Some(pace),
                Err(error) => {
                    error!(%channel, %error, "the operator could not be told that the channel is parked");
                    Some(STORE_TROUBLE_WAIT)
                }
            },
            Ok(Claim::Wait(until)) => {
                let wait = until.since(dispatcher.clock.now());
                rest(&dispatcher, Some(wait), Some(&hint), &shutdown).await;
                None
            }
            Ok(Claim::Idle | Claim::Parked) => {
                rest(&dispatcher, None, Some(&hint), &shutdown).await;
                None
            }
            Err(error) => {
                error!(%channel, %error, "the next delivery could not be claimed");
                Some(STORE_TROUBLE_WAIT)
            }
        };
        if let Some(wait) = wait {
            rest(&dispatcher, Some(wait), None, &shutdown).await;
        }
    }
}

/// Sends all that is due now on one channel.
pub(super) async fn drain(
    dispatcher: &Dispatcher,
    channel: &ChannelName,
    shutdown: &CancellationToken,
) -> Result<(), StoreError> {
    while let Claim::Send(delivery) = dispatcher.store.claim(channel, dispatcher.clock.now()).await? {
        let pace = deliver(dispatcher, channel, *delivery, shutdown).await?;
        rest(dispatcher, Some(pace), None, shutdown).await;
    }
    Ok(())
}

/// Waits for the time, a hint or shutdown, whichever comes first.
async fn rest(dispatcher: &Dispatcher, wait: Option<Duration>, hint: Option<&Notify>, shutdown: &CancellationToken) {
    let time = async {
        match wait {
            Some(wait) => dispatcher.clock.sleep(wait).await,
            None => std::future::pending().await,
        }
    };
    let hinted = async {
        match hint {
            Some(hint) => hint.notified().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time => {}
        () = hinted => {}
        () = shutdown.cancelled() => {}
    }
}

/// Makes the recorded attempt and records what came of it. Returns how long the channel's pace asks to wait.
async fn deliver(
    dispatcher: &Dispatcher,
    channel: &ChannelName,
    mut delivery: ClaimedDelivery,
    shutdown: &CancellationToken,
) -> Result<Duration, StoreError> {
    if shutdown.is_cancelled() {
        settle(dispatcher, &delivery, AttemptOutcome::NotMade, shutdown).await;
        return Ok(Duration::ZERO);
    }
    let config = dispatcher.config.borrow().clone();
    let settings = match may_send(&config, channel, &delivery) {
        Ok(settings) => settings,
        Err(refusal) => {
            warn!(%channel, delivery = %delivery.id, "a notification is not sent: {refusal}");
            settle(dispatcher, &delivery, AttemptOutcome::Dead { error: refusal.to_owned() }, shutdown).await;
            return Ok(Duration::ZERO);
        }
    };
    delivery.notification.data.notification.possible_repeat = delivery.possible_repeat;
    let started = dispatcher.clock.now();
    let sending = send::attempt(&dispatcher.egress, &settings, &config.templates, &delivery.notification, started);
    // A request that may have gone out is waited for, so that its outcome is known; its own deadline bounds the wait.
    let verdict = tokio::select! {
        verdict = sending => verdict,
        () = dispatcher.drained(shutdown) => return Ok(Duration::ZERO),
    };
    let now = dispatcher.clock.now();
    let outcome = outcome(&settings, &delivery, verdict, now);
    tell_log(channel, &delivery, &outcome);
    dispatcher.metrics.attempt_made(channel, outcome_name(&outcome), now.since(started));
    let parked = match &outcome {
        AttemptOutcome::Parked { error } => Some(error.clone()),
        _ => None,
    };
    let finished = !matches!(outcome, AttemptOutcome::Retry { .. });
    settle(dispatcher, &delivery, outcome, shutdown).await;
    if finished && let Some(tenant) = delivery.tenant.clone() {
        dispatcher.told(tenant);
    }
    if let Some(reason) = parked {
        operator::channel_parked(dispatcher, &config, channel, &reason, now).await?;
    }
    Ok(settings.pace)
}

/// Records what came of an attempt, again and again while the store can't be written: an attempt without an outcome would
/// hold its channel up. At shutdown it is given up; the next start finds the attempt and repeats it, marked.
async fn settle(
    dispatcher: &Dispatcher,
    delivery: &ClaimedDelivery,
    outcome: AttemptOutcome,
    shutdown: &CancellationToken,
) {
    loop {
        let now = dispatcher.clock.now();
        let Err(error) = dispatcher.store.settle(delivery.id, delivery.attempt, outcome.clone(), now).await else {
            return;
        };
        error!(delivery = %delivery.id, %error, "an attempt's outcome could not be recorded; trying again");
        if shutdown.is_cancelled() {
            return;
        }
        rest(dispatcher, Some(STORE_TROUBLE_WAIT), None, shutdown).await;
    }
}

/// The channel's settings, if by the configuration in force it may still show this notification.
fn may_send(
    config: &Config,
    channel: &ChannelName,
    delivery: &ClaimedDelivery,
) -> Result<Arc<ChannelSettings>, &'static str> {
    let settings = config.channels.get(channel).ok_or("the channel is no longer configured")?;
    let admitted = match (&delivery.tenant, &delivery.notification.data.tenant) {
        (Some(tenant), facts) => {
            let configured = config.tenants.get(tenant).map(|tenant| tenant.labels.as_ref());
            let noted = facts.as_ref().map(|facts| &facts.labels);
            settings.fence.admits(tenant, configured.or(noted).unwrap_or(&Labels::new()))
        }
        (None, _) => settings.fence.is_open(),
    };
    if admitted { Ok(settings.clone()) } else { Err("the channel may not show this tenant") }
}

fn outcome(settings: &ChannelSettings, delivery: &ClaimedDelivery, verdict: Verdict, now: Timestamp) -> AttemptOutcome {
    match verdict {
        Verdict::Delivered => AttemptOutcome::Delivered,
        Verdict::Dead { reason } => AttemptOutcome::Dead { error: reason },
        Verdict::Parked { reason } => AttemptOutcome::Parked { error: reason },
        Verdict::Retry { reason, after } => {
            let draw = rand::random();
            match backoff::next_attempt(settings.retry, delivery.attempt, draw, after, delivery.queued_at, now) {
                Some(next_attempt_at) => AttemptOutcome::Retry { error: reason, next_attempt_at },
                None => AttemptOutcome::Dead { error: format!("given up: {reason}") },
            }
        }
    }
}

const fn outcome_name(outcome: &AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Delivered => "delivered",
        AttemptOutcome::Retry { .. } => "retry",
        AttemptOutcome::Dead { .. } => "dead",
        AttemptOutcome::Parked { .. } => "parked",
        AttemptOutcome::NotMade => "not-made",
    }
}

fn tell_log(channel: &ChannelName, delivery: &ClaimedDelivery, outcome: &AttemptOutcome) {
    let ClaimedDelivery { id, attempt, notification, .. } = delivery;
    let short_id = &notification.data.notification.short_id;
    let kind = notification.kind.as_str();
    match outcome {
        AttemptOutcome::Delivered => info!(%channel, delivery = %id, attempt, %short_id, kind, "delivered"),
        AttemptOutcome::Retry { error, next_attempt_at } => {
            warn!(%channel, delivery = %id, attempt, %short_id, kind, %next_attempt_at, "not delivered yet: {error}");
        }
        AttemptOutcome::Dead { error } => {
            error!(%channel, delivery = %id, attempt, %short_id, kind, "dead letter: {error}");
        }
        AttemptOutcome::Parked { error } => {
            error!(%channel, delivery = %id, attempt, %short_id, kind, "the channel is parked: {error}");
        }
        AttemptOutcome::NotMade => debug!(%channel, delivery = %id, attempt, %short_id, kind, "not sent after all"),
    }
}
