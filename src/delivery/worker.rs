//! One channel's worker: takes its deliveries one after the other, at the channel's pace, one request in flight.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    admission,
    dispatch::Dispatcher,
    send::{self, Sent},
};
use crate::{
    channel::{ChannelSettings, Form, Verdict},
    config::Config,
    crash_point::{self, CrashPoint},
    domain::{ChannelName, Timestamp},
    notify::{ChannelStanding, NotificationType, backoff, standing::Fared},
    store::{AttemptOutcome, Claim, ClaimTerms, ClaimedDelivery, StoreError},
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
    let mut host = None;
    while !shutdown.is_cancelled() {
        let now = dispatcher.clock.now();
        let terms = terms(&dispatcher, &channel, host.as_deref(), now);
        let (wait, hint) = match dispatcher.store.claim(&channel, terms, now).await {
            Ok(Claim::Send(delivery)) => match deliver(&dispatcher, &channel, *delivery, &shutdown).await {
                Some(attempt) => {
                    host = attempt.host.or(host);
                    (Some(attempt.standing.rest_until.since(dispatcher.clock.now())), None)
                }
                None => continue,
            },
            Ok(Claim::Wait(until)) => (Some(until.since(dispatcher.clock.now())), Some(&*hint)),
            Ok(Claim::Idle) => (None, Some(&*hint)),
            Ok(Claim::Parked) => {
                dispatcher.tell_trouble().await;
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
    let (mut has_sent, mut host) = (false, None);
    while !shutdown.is_cancelled() {
        let now = dispatcher.clock.now();
        let terms = terms(dispatcher, channel, host.as_deref(), now);
        let Claim::Send(delivery) = dispatcher.store.claim(channel, terms, now).await? else { break };
        has_sent = true;
        match deliver(dispatcher, channel, *delivery, shutdown).await {
            Some(Attempt { standing, .. }) if standing.failing_since.is_some() => return Ok((true, false)),
            Some(attempt) => {
                host = attempt.host.or(host);
                let wait = attempt.standing.rest_until.since(dispatcher.clock.now());
                rest(dispatcher, Some(wait), None, shutdown).await;
            }
            None => {}
        }
    }
    Ok((has_sent, true))
}

/// An attempt that was made.
struct Attempt {
    standing: ChannelStanding,
    host: Option<String>,
}

/// On which terms the channel takes its next delivery.
fn terms(dispatcher: &Dispatcher, channel: &ChannelName, host: Option<&str>, now: Timestamp) -> ClaimTerms {
    let config = dispatcher.config.borrow().clone();
    let Some(settings) = config.channels.get(channel) else { return ClaimTerms::default() };
    ClaimTerms {
        merge_over: (!settings.kind.keeps_state()).then_some(settings.digest_over),
        retries_from: host.map_or(now, |host| dispatcher.budget.retries_from(host, now)),
        longest_rest: settings.longest_rest(),
    }
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
        settle(dispatcher, &delivery, AttemptOutcome::NotMade, None, shutdown).await;
        return None;
    }
    let config = dispatcher.config.borrow().clone();
    let settings = match admission::may_send(&config, channel, &delivery) {
        Ok(settings) => settings,
        Err(refusal) => {
            warn!(%channel, delivery = %delivery.id, "a notification is not sent: {refusal}");
            let outcome = AttemptOutcome::Dead { error: refusal.to_owned() };
            settle(dispatcher, &delivery, outcome, None, shutdown).await;
            return None;
        }
    };
    if !withhold(dispatcher, &config, &settings, &mut delivery, shutdown).await {
        return None;
    }
    delivery.notification.data.notification.possible_repeat = delivery.possible_repeat;
    let started = dispatcher.clock.now();
    let mut host = None;
    let sending = async {
        let form = if delivery.plain { Form::Plain } else { Form::Rich };
        let written = send::write(&settings, &config.templates, &delivery.notification, form, started);
        let written = match written {
            Ok(written) => written,
            Err(verdict) => return Sent { verdict, may_have_arrived: false },
        };
        host = written.host();
        let booked = host.as_deref().map(|host| dispatcher.budget.book(host, delivery.attempt, started));
        let sent = written.send(&dispatcher.egress, started).await;
        drop(booked);
        sent
    };
    // A request that may have gone out is waited for, so that its outcome is known; its own deadline bounds the wait.
    let sent = tokio::select! {
        sent = AssertUnwindSafe(sending).catch_unwind() => sent.unwrap_or_else(|_| {
            let reason = "the attempt panicked; this is a fault of scorewatch".to_owned();
            Sent { verdict: Verdict::Dead { reason }, may_have_arrived: true }
        }),
        () = dispatcher.drained(shutdown) => return None,
    };
    let now = dispatcher.clock.now();
    let mut standing = stand(&settings, &delivery, &sent.verdict, now);
    // Where nobody can confirm a drill, a good answer is all the proof there is. Without new proof the store keeps what it has,
    // which may be newer than what was claimed: a person may have confirmed a drill meanwhile.
    let is_proof = sent.verdict == Verdict::Delivered && !config.is_proven_by_people(&settings);
    standing.proven_at = is_proof.then_some(now);
    let outcome = outcome(&settings, &delivery, sent, now);
    tell_log(channel, &delivery, &outcome);
    dispatcher.metrics.attempt_made(channel, outcome_name(&outcome), now.since(started));
    crash_point::reach(CrashPoint::BeforeSettle);
    settle(dispatcher, &delivery, outcome, Some(standing), shutdown).await;
    crash_point::reach(CrashPoint::Settled);
    Some(Attempt { standing, host })
}

/// How the channel stands after an attempt.
fn stand(settings: &ChannelSettings, delivery: &ClaimedDelivery, verdict: &Verdict, now: Timestamp) -> ChannelStanding {
    let fared = match verdict {
        Verdict::Retry { after, .. } => Fared::Badly { asked: after.unwrap_or_default() },
        Verdict::Delivered | Verdict::Plainer { .. } | Verdict::Dead { .. } | Verdict::Parked { .. } => Fared::Well,
    };
    let (before, draw) = (delivery.standing, rand::random());
    if delivery.notification.kind == NotificationType::Drill {
        before.after_drill(fared, settings.pace, settings.retry, draw, now)
    } else {
        before.after(fared, settings.pace, settings.retry, draw, now)
    }
}

/// Takes out of a digest what the channel may not show any more. `false`: nothing is left, or the store could not be told.
async fn withhold(
    dispatcher: &Dispatcher,
    config: &Config,
    settings: &ChannelSettings,
    delivery: &mut ClaimedDelivery,
    shutdown: &CancellationToken,
) -> bool {
    let was_digest = !delivery.notification.data.items.is_empty();
    let withheld = admission::withheld(config, settings, delivery);
    if withheld.is_empty() {
        return true;
    }
    let now = dispatcher.clock.now();
    warn!(channel = %settings.name, delivery = %delivery.id, count = withheld.len(), "not sent: {}", admission::FENCED);
    if let Err(error) = dispatcher.store.withhold(delivery.id, withheld, admission::FENCED, now).await {
        error!(delivery = %delivery.id, %error, "what may not be shown could not be taken out; trying again");
        settle(dispatcher, delivery, AttemptOutcome::NotMade, None, shutdown).await;
        rest(dispatcher, Some(STORE_TROUBLE_WAIT), None, shutdown).await;
        return false;
    }
    if was_digest && delivery.notification.data.items.is_empty() {
        let outcome = AttemptOutcome::Dead { error: admission::FENCED.to_owned() };
        settle(dispatcher, delivery, outcome, None, shutdown).await;
        return false;
    }
    true
}

/// Records what came of an attempt, again and again while the store can't be written: an attempt without an outcome would
/// hold its channel up. At shutdown it is given up; the next start finds the attempt and repeats it, marked.
async fn settle(
    dispatcher: &Dispatcher,
    delivery: &ClaimedDelivery,
    outcome: AttemptOutcome,
    standing: Option<ChannelStanding>,
    shutdown: &CancellationToken,
) {
    let is_at_rest = matches!(outcome, AttemptOutcome::Delivered | AttemptOutcome::Dead { .. });
    loop {
        let now = dispatcher.clock.now();
        let settled = dispatcher.store.settle(delivery.id, delivery.attempt, outcome.clone(), standing, now).await;
        let Err(error) = settled else {
            if is_at_rest {
                for tenant in admission::tenants(delivery) {
                    dispatcher.told(tenant);
                }
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

fn outcome(settings: &ChannelSettings, delivery: &ClaimedDelivery, sent: Sent, now: Timestamp) -> AttemptOutcome {
    match sent.verdict {
        Verdict::Delivered => AttemptOutcome::Delivered,
        Verdict::Plainer { reason } if !delivery.plain => AttemptOutcome::Plainer { error: reason },
        Verdict::Plainer { reason } | Verdict::Dead { reason } => AttemptOutcome::Dead { error: reason },
        Verdict::Parked { reason } => AttemptOutcome::Parked { error: reason },
        Verdict::Retry { reason, after } => {
            let (draw, mut bounds) = (rand::random(), settings.retry);
            if delivery.notification.kind == NotificationType::Drill {
                // Nobody waits for a drill: its retries are rare, and leave the host's share of them to what is needed.
                bounds.first = bounds.max;
            }
            match backoff::next_attempt(bounds, delivery.attempt, draw, after, delivery.queued_at, now) {
                Some(next_attempt_at) => {
                    AttemptOutcome::Retry { error: reason, next_attempt_at, may_have_arrived: sent.may_have_arrived }
                }
                None => AttemptOutcome::Dead { error: format!("given up: {reason}") },
            }
        }
    }
}

const fn outcome_name(outcome: &AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Delivered => "delivered",
        AttemptOutcome::Retry { .. } => "retry",
        AttemptOutcome::Plainer { .. } => "plainer",
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
        AttemptOutcome::Retry { error, next_attempt_at, .. } => {
            warn!(%channel, delivery = %id, attempt, %short_id, kind, %next_attempt_at, "not delivered yet: {error}");
        }
        AttemptOutcome::Plainer { error } => {
            warn!(%channel, delivery = %id, attempt, %short_id, kind, "rejected; now as plain text: {error}");
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
