//! One attempt at one delivery: may it be shown, written, booked, sent, settled. Its intent is on record before.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    addresses, admission,
    dispatch::Dispatcher,
    secrets,
    send::{self, Sent},
    worker::{STORE_TROUBLE_WAIT, rest},
};
use crate::{
    channel::{ChannelSettings, Form, Verdict},
    config::Config,
    crash_point::{self, CrashPoint},
    domain::{ChannelName, TenantId, Timestamp},
    notify::{ChannelStanding, NotificationType, backoff, standing::Fared},
    store::{AttemptOutcome, ClaimedDelivery},
};

/// What came of a claim.
pub(super) struct Attempt {
    /// Whether the receiver is as it should be.
    pub(super) is_good: bool,
    /// How long the channel is left alone.
    pub(super) rest: Duration,
    /// Where it went.
    pub(super) host: Option<String>,
}

/// Makes the recorded attempt and records what came of it. `None`: it was not made.
pub(super) async fn deliver(
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
            tell(dispatcher, admission::tenants(&delivery));
            return None;
        }
    };
    let tenants = admission::tenants(&delivery);
    if !withhold(dispatcher, &config, &settings, &mut delivery, shutdown).await {
        return None;
    }
    delivery.notification.data.notification.possible_repeat = delivery.possible_repeat;
    tokio::select! {
        () = secrets::fetch(&settings) => {}
        () = dispatcher.drained(shutdown) => return None,
    }
    let started = dispatcher.clock.now();
    let form = if delivery.plain { Form::Plain } else { Form::Rich };
    let shared = dispatcher.addresses.shared_with(&config, &settings).await;
    let written = catch_unwind(AssertUnwindSafe(|| match &shared {
        Some(other) => Err(addresses::refused(other)),
        None => send::write(&settings, &config.templates, &delivery.notification, form, started),
    }));
    // What is written needs no facts any more, and a thousand receivers may hang.
    delivery.notification.data.items = Vec::new();
    let host = written.as_ref().ok().and_then(|written| written.as_ref().ok()?.host());
    let booked = match host.as_deref().map(|host| dispatcher.budget.book(host, delivery.attempt, started)) {
        Some(Err(from)) => {
            settle(dispatcher, &delivery, AttemptOutcome::NotMade, None, shutdown).await;
            return Some(Attempt { is_good: false, rest: from.since(started), host });
        }
        Some(Ok(booked)) => booked,
        None => None,
    };
    let sending = async {
        match written {
            Ok(Ok(written)) => unless_renewed(&settings, written.send(&dispatcher.egress, started).await).await,
            Ok(Err(verdict)) => unless_renewed(&settings, Sent { verdict, may_have_arrived: false }).await,
            Err(panic) => resume_unwind(panic),
        }
    };
    // A request that may have gone out is waited for, so that its outcome is known; its own deadline bounds the wait.
    let sent = tokio::select! {
        sent = AssertUnwindSafe(sending).catch_unwind() => sent.unwrap_or_else(|_| {
            let reason = "the attempt panicked; this is a fault of scorewatch".to_owned();
            Sent { verdict: Verdict::Dead { reason }, may_have_arrived: true }
        }),
        () = dispatcher.drained(shutdown) => return None,
    };
    drop(booked);
    let now = dispatcher.clock.now();
    let mut standing = stand(&settings, &delivery, &sent.verdict, now);
    // Where nobody can confirm a drill, a good answer is all the proof there is. Without new proof the store keeps what it has,
    // which may be newer than what was claimed: a person may have confirmed a drill meanwhile.
    let is_proof = sent.verdict == Verdict::Delivered && !config.is_proven_by_people(&settings);
    standing.proven_at = is_proof.then_some(now);
    if let (Verdict::Delivered, Some(host)) = (&sent.verdict, &host) {
        dispatcher.budget.credit(host, delivery.attempt);
    }
    let outcome = outcome(&settings, &delivery, sent, now);
    let parks = matches!(outcome, AttemptOutcome::Parked { .. } | AttemptOutcome::StillParked { .. });
    tell_log(channel, &delivery, &outcome);
    dispatcher.metrics.attempt_made(channel, outcome_name(&outcome), now.since(started));
    // A rejection may come to rest, or park the channel; whoever is looked at in vain loses nothing.
    let is_at_rest =
        matches!(outcome, AttemptOutcome::Delivered | AttemptOutcome::Rejected { .. } | AttemptOutcome::Dead { .. });
    crash_point::reach(CrashPoint::BeforeSettle);
    settle(dispatcher, &delivery, outcome, Some(standing), shutdown).await;
    crash_point::reach(CrashPoint::Settled);
    if is_at_rest {
        tell(dispatcher, tenants);
    }
    let rest = standing.rest_until.since(now);
    Some(Attempt { is_good: standing.failing_since.is_none() && !parks, rest, host })
}

/// A receiver that is gone may only have moved: where a store holds another address or key by now, that is tried before the
/// channel is parked.
async fn unless_renewed(settings: &ChannelSettings, sent: Sent) -> Sent {
    match sent.verdict {
        Verdict::Parked { reason } if secrets::have_changed(settings).await => {
            let reason = format!("{reason}; its store holds another secret by now");
            Sent { verdict: Verdict::Retry { reason, after: None }, ..sent }
        }
        verdict => Sent { verdict, ..sent },
    }
}

/// Says whose notifications came to rest.
fn tell(dispatcher: &Dispatcher, tenants: BTreeSet<TenantId>) {
    for tenant in tenants {
        dispatcher.told(tenant);
    }
}

/// How the channel stands after an attempt.
fn stand(settings: &ChannelSettings, delivery: &ClaimedDelivery, verdict: &Verdict, now: Timestamp) -> ChannelStanding {
    let fared = match verdict {
        Verdict::Retry { after, .. } => Fared::Badly { asked: after.unwrap_or_default() },
        Verdict::Delivered
        | Verdict::Plainer { .. }
        | Verdict::Rejected { .. }
        | Verdict::Dead { .. }
        | Verdict::Parked { .. } => Fared::Well,
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
    let tenants = admission::tenants(delivery);
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
    if !delivery.notification.data.items.is_empty() {
        return true;
    }
    let outcome = AttemptOutcome::Dead { error: admission::FENCED.to_owned() };
    settle(dispatcher, delivery, outcome, None, shutdown).await;
    tell(dispatcher, tenants);
    false
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
    loop {
        let now = dispatcher.clock.now();
        let settled = dispatcher.store.settle(delivery.id, delivery.attempt, outcome.clone(), standing, now).await;
        let Err(error) = settled else { return };
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
        Verdict::Plainer { reason } | Verdict::Rejected { reason } => AttemptOutcome::Rejected { error: reason },
        Verdict::Dead { reason } => AttemptOutcome::Dead { error: reason },
        Verdict::Parked { reason } => AttemptOutcome::Parked { error: reason },
        // The queue of a parked channel is kept: nothing of it is given up.
        Verdict::Retry { reason, .. } if delivery.is_probe => {
            AttemptOutcome::StillParked { error: reason, may_have_arrived: sent.may_have_arrived }
        }
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
        AttemptOutcome::Rejected { .. } => "rejected",
        AttemptOutcome::Dead { .. } => "dead",
        AttemptOutcome::Parked { .. } | AttemptOutcome::StillParked { .. } => "parked",
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
        AttemptOutcome::Rejected { error } => {
            error!(%channel, delivery = %id, attempt, %short_id, kind, "rejected: {error}");
        }
        AttemptOutcome::StillParked { error, .. } => {
            warn!(%channel, delivery = %id, attempt, %short_id, kind, "the channel is still parked: {error}");
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
