//! One channel's worker: takes its deliveries one after the other, at the channel's pace, one request in flight.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    breaker::{Breaker, Standing},
    dispatch::Dispatcher,
    send,
};
use crate::{
    channel::{ChannelSettings, Verdict},
    config::Config,
    crash_point::{self, CrashPoint},
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
    let mut breaker = Breaker::default();
    while !shutdown.is_cancelled() {
        let (wait, hint) = match dispatcher.store.claim(&channel, dispatcher.clock.now()).await {
            Ok(Claim::Send(delivery)) => match deliver(&dispatcher, &channel, *delivery, &shutdown).await {
                Some(Attempt { settings, standing }) => {
                    let open = breaker.after(standing, settings.retry, rand::random());
                    (Some(settings.pace.max(open)), None)
                }
                None => continue,
            },
            Ok(Claim::Wait(until)) => (Some(until.since(dispatcher.clock.now())), Some(&*hint)),
            Ok(Claim::Idle) => (None, Some(&*hint)),
            Ok(Claim::Parked) => {
                dispatcher.tell_parked().await;
                (None, Some(&*hint))
            }
            Err(error) => {
                error!(%channel, %error, "the next delivery could not be claimed");
                (Some(STORE_TROUBLE_WAIT), None)
            }
        };
        rest(&dispatcher, wait, hint, &shutdown).await;
    }
}

/// Sends all that is due now on one channel, up to the first attempt that fails. Returns whether anything was sent, and
/// whether the receiver is as it should be.
pub(super) async fn drain(
    dispatcher: &Dispatcher,
    channel: &ChannelName,
    shutdown: &CancellationToken,
) -> Result<(bool, bool), StoreError> {
    let mut has_sent = false;
    while !shutdown.is_cancelled()
        && let Claim::Send(delivery) = dispatcher.store.claim(channel, dispatcher.clock.now()).await?
    {
        has_sent = true;
        match deliver(dispatcher, channel, *delivery, shutdown).await {
            Some(Attempt { standing: Standing::Failing { .. }, .. }) => return Ok((true, false)),
            Some(Attempt { settings, .. }) => rest(dispatcher, Some(settings.pace), None, shutdown).await,
            None => {}
        }
    }
    Ok((has_sent, true))
}

/// An attempt that was made.
struct Attempt {
    settings: Arc<ChannelSettings>,
    standing: Standing,
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

/// Makes the recorded attempt and records what came of it. `None`: it was not made.
async fn deliver(
    dispatcher: &Dispatcher,
    channel: &ChannelName,
    mut delivery: ClaimedDelivery,
    shutdown: &CancellationToken,
) -> Option<Attempt> {
    if shutdown.is_cancelled() {
        settle(dispatcher, &delivery, AttemptOutcome::NotMade, shutdown).await;
        return None;
    }
    let config = dispatcher.config.borrow().clone();
    let settings = match may_send(&config, channel, &delivery) {
        Ok(settings) => settings,
        Err(refusal) => {
            warn!(%channel, delivery = %delivery.id, "a notification is not sent: {refusal}");
            settle(dispatcher, &delivery, AttemptOutcome::Dead { error: refusal.to_owned() }, shutdown).await;
            return None;
        }
    };
    delivery.notification.data.notification.possible_repeat = delivery.possible_repeat;
    let started = dispatcher.clock.now();
    let sending = send::attempt(&dispatcher.egress, &settings, &config.templates, &delivery.notification, started);
    // A request that may have gone out is waited for, so that its outcome is known; its own deadline bounds the wait.
    let verdict = tokio::select! {
        verdict = AssertUnwindSafe(sending).catch_unwind() => verdict.unwrap_or_else(|_| {
            Verdict::Dead { reason: "the attempt panicked; this is a fault of scorewatch".to_owned() }
        }),
        () = dispatcher.drained(shutdown) => return None,
    };
    let standing = standing(&verdict);
    let now = dispatcher.clock.now();
    let outcome = outcome(&settings, &delivery, verdict, now);
    tell_log(channel, &delivery, &outcome);
    dispatcher.metrics.attempt_made(channel, outcome_name(&outcome), now.since(started));
    crash_point::reach(CrashPoint::BeforeSettle);
    settle(dispatcher, &delivery, outcome, shutdown).await;
    crash_point::reach(CrashPoint::Settled);
    Some(Attempt { settings, standing })
}

fn standing(verdict: &Verdict) -> Standing {
    match verdict {
        Verdict::Retry { after, .. } => Standing::Failing { asked: after.unwrap_or_default() },
        Verdict::Delivered | Verdict::Dead { .. } | Verdict::Parked { .. } => Standing::Good,
    }
}

/// Records what came of an attempt, again and again while the store can't be written: an attempt without an outcome would
/// hold its channel up. At shutdown it is given up; the next start finds the attempt and repeats it, marked.
async fn settle(
    dispatcher: &Dispatcher,
    delivery: &ClaimedDelivery,
    outcome: AttemptOutcome,
    shutdown: &CancellationToken,
) {
    let is_at_rest = matches!(outcome, AttemptOutcome::Delivered | AttemptOutcome::Dead { .. });
    loop {
        let now = dispatcher.clock.now();
        let Err(error) = dispatcher.store.settle(delivery.id, delivery.attempt, outcome.clone(), now).await else {
            if is_at_rest && let Some(tenant) = delivery.tenant.clone() {
                dispatcher.told(tenant);
            }
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
