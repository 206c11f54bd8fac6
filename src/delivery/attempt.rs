//! One attempt at one delivery: may it be shown, written, booked, sent, settled. Its intent is on record before.

use std::{collections::BTreeSet, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tracing::{error, warn};

use super::{
    addresses, admission,
    context::{Context, STORE_TROUBLE_WAIT, lease_lost},
    destination, fetch, outcome,
    send::{self, Sent, Written},
};
use crate::{
    channel::{ChannelSettings, Form, Verdict},
    config::Config,
    crash_point::{self, CrashPoint},
    domain::{ChannelName, TenantId, Timestamp},
    notify::{ChannelHealth, DeliveryId, NotificationType, backoff, channel_health::Fared, destination::Found},
    store::{AttemptOutcome, ClaimedDelivery, StoreError},
    task,
    telemetry::Traced,
};

/// How long a channel waits before the next look if this replica still has its old secret.
const BEHIND_WAIT: Duration = Duration::from_secs(5);

/// Why an attempt failed that panicked.
const PANICKED: &str = "the attempt panicked; this is a fault of scorewatch";

/// What came of a claim.
pub(super) struct Attempt {
    /// Whether the receiver is as it should be.
    pub(super) is_good: bool,
    /// How long the channel is left alone.
    pub(super) rest: Duration,
    /// The host that the message was sent to.
    pub(super) host: Option<String>,
}

/// Makes the recorded attempt and records what came of it, even if that panics: an attempt without an outcome would hold its
/// channel up. `None`: it was not made.
pub(super) async fn deliver(context: &Context, channel: &ChannelName, delivery: ClaimedDelivery) -> Option<Attempt> {
    let (id, attempt, queued_at) = (delivery.id, delivery.attempt, delivery.queued_at);
    let panic = match AssertUnwindSafe(make(context, channel, delivery)).catch_unwind().await {
        Ok(made) => return made,
        Err(panic) => panic,
    };
    task::note_panic("delivery", panic.as_ref());
    let (now, error) = (context.clock.now(), PANICKED.to_owned());
    let bounds = context.config.borrow().channels.get(channel).map(|settings| settings.retry);
    let next = bounds.and_then(|bounds| backoff::next_attempt(bounds, attempt, rand::random(), None, queued_at, now));
    let outcome = match next {
        Some(next_attempt_at) => AttemptOutcome::Retry { error, next_attempt_at, may_have_arrived: true },
        None => AttemptOutcome::Dead { error },
    };
    record(context, id, attempt, outcome, None).await;
    Some(Attempt { is_good: false, rest: STORE_TROUBLE_WAIT, host: None })
}

/// What an attempt is made by: the configuration in force, and its channel in it.
struct Admitted {
    config: Arc<Config>,
    settings: Arc<ChannelSettings>,
    /// Whose notifications it says.
    tenants: BTreeSet<TenantId>,
}

async fn make(context: &Context, channel: &ChannelName, mut delivery: ClaimedDelivery) -> Option<Attempt> {
    let admitted = admit(context, channel, &mut delivery).await?;
    let settings = &admitted.settings;
    tokio::select! {
        () = fetch::fetch(settings) => {}
        () = context.drained() => return None,
    }
    match destination::before_attempt(context, settings, &delivery.leads).await {
        Ok(Found::AsKnown | Found::First) => {}
        found => return not_made(context, &delivery, found).await,
    }
    let started = context.clock.now();
    let written = write_unless_shared(context, &admitted, &mut delivery, started).await?;
    let host = written.as_ref().ok().and_then(Written::host);
    let booked = match host.as_deref().map(|host| context.budget.book(host, delivery.attempt, started)) {
        Some(Err(from)) => {
            settle(context, &delivery, AttemptOutcome::NotMade, None).await;
            return Some(Attempt { is_good: false, rest: from.since(started), host });
        }
        Some(Ok(booked)) => booked,
        None => None,
    };
    // The process may have been stopped since the claim, and another replica have taken the channel over.
    if !context.division.is_valid() {
        settle(context, &delivery, AttemptOutcome::NotMade, None).await;
        return None;
    }
    let kind = delivery.notification.kind.as_str();
    let span = Traced::attempt(channel, settings.kind.as_str(), kind, delivery.id.0, delivery.attempt);
    let sending = async {
        match written {
            Ok(written) => unless_renewed(settings, written.send(&context.egress, started).await).await,
            Err(verdict) => unless_renewed(settings, Sent { verdict, may_have_arrived: false }).await,
        }
    };
    // A request that may have gone out is waited for, so that its outcome is known; its own deadline bounds the wait.
    // Without a lease it is given up: whoever takes the channel over sends it again.
    let sent = tokio::select! {
        biased;
        () = context.division.lost() => {
            settle(context, &delivery, lease_lost(context.clock.now()), None).await;
            return None;
        }
        sent = AssertUnwindSafe(sending).catch_unwind() => sent.unwrap_or_else(|panic| {
            task::note_panic("delivery", panic.as_ref());
            Sent { verdict: panicked(), may_have_arrived: true }
        }),
        () = context.drained() => return None,
    };
    drop(booked);
    if let (Verdict::Delivered, Some(host)) = (&sent.verdict, &host) {
        context.budget.credit(host, delivery.attempt);
    }
    Some(conclude(context, admitted, &delivery, sent, host, started, span).await)
}

/// An attempt that is not made now, as its channel has moved, or leads to where it led before a newer secret.
async fn not_made(context: &Context, delivery: &ClaimedDelivery, found: Result<Found, StoreError>) -> Option<Attempt> {
    settle(context, delivery, AttemptOutcome::NotMade, None).await;
    let rest = match found {
        Ok(Found::Behind) => BEHIND_WAIT,
        Ok(_) => return None,
        Err(error) => {
            error!(delivery = %delivery.id, %error, "it could not be noted where a channel leads; trying again");
            STORE_TROUBLE_WAIT
        }
    };
    Some(Attempt { is_good: false, rest, host: None })
}

/// Finds out whether the delivery may still be sent, and leaves out what may not be shown. `None`: it is not sent now, which is on
/// record.
async fn admit(context: &Context, channel: &ChannelName, delivery: &mut ClaimedDelivery) -> Option<Admitted> {
    if context.shutdown.is_cancelled() {
        settle(context, delivery, AttemptOutcome::NotMade, None).await;
        return None;
    }
    let config = context.config.borrow().clone();
    let settings = match admission::may_send(&config, channel, delivery) {
        Ok(settings) => settings,
        Err(refusal) => {
            warn!(%channel, delivery = %delivery.id, "a notification is not sent: {refusal}");
            settle(context, delivery, admission::refused(context, refusal), None).await;
            report_settled(context, admission::tenants(delivery));
            return None;
        }
    };
    let tenants = admission::tenants(delivery);
    if !suppress(context, &config, &settings, delivery).await {
        return None;
    }
    delivery.notification.data.notification.possible_duplicate = delivery.possible_duplicate;
    config.complete_links(&settings, &mut delivery.notification);
    Some(Admitted { config, settings, tenants })
}

/// Writes the message, unless the channel's receiver is that of another channel with another audience. `None`: the runtime is stopping.
async fn write_unless_shared(
    context: &Context,
    admitted: &Admitted,
    delivery: &mut ClaimedDelivery,
    at: Timestamp,
) -> Option<Result<Written, Verdict>> {
    let Admitted { config, settings, .. } = admitted;
    let shared = tokio::select! {
        shared = context.addresses.shared_with(config, settings) => shared,
        () = context.drained() => return None,
    };
    if let Some(other) = shared {
        return Some(Err(addresses::refused(&other)));
    }
    let form = if delivery.plain { Form::Plain } else { Form::Rich };
    tokio::select! {
        written = write(settings, config, delivery, form, at) => written,
        () = context.drained() => None,
    }
}

/// Records the outcome of an attempt.
async fn conclude(
    context: &Context,
    admitted: Admitted,
    delivery: &ClaimedDelivery,
    sent: Sent,
    host: Option<String>,
    started: Timestamp,
    span: Traced,
) -> Attempt {
    let Admitted { config, settings, tenants } = admitted;
    let now = context.clock.now();
    let mut health = health_after(&settings, delivery, &sent.verdict, now);
    // Where nobody can confirm a drill, a good answer is all the proof there is. Without new proof the store keeps what it has,
    // which may be newer than what was claimed: a person may have confirmed a drill meanwhile.
    let is_proven = sent.verdict == Verdict::Delivered && !config.is_proven_by_people(&settings);
    health.proven_at = is_proven.then_some(now);
    let outcome = outcome_of(&settings, delivery, sent, now);
    let parks = matches!(outcome, AttemptOutcome::Parked { .. } | AttemptOutcome::StillParked { .. });
    outcome::log(&settings.name, delivery, &outcome);
    context.metrics.attempt_made(&settings.name, outcome::name(&outcome), now.since(started));
    span.end(outcome::name(&outcome), !matches!(outcome, AttemptOutcome::Delivered));
    // A rejection may come to rest, or park the channel; whoever is looked at in vain loses nothing.
    let is_settled =
        matches!(outcome, AttemptOutcome::Delivered | AttemptOutcome::Rejected { .. } | AttemptOutcome::Dead { .. });
    crash_point::reach(CrashPoint::BeforeSettle);
    settle(context, delivery, outcome, Some(health)).await;
    crash_point::reach(CrashPoint::Settled);
    if !Arc::ptr_eq(&config, &context.config.borrow()) {
        // What was under way at a reload was passed over by it, and may wait again for a channel that has left.
        context.routes.lock().await.take();
    }
    if is_settled {
        report_settled(context, tenants);
    }
    let rest = health.cooldown_until.since(now);
    Attempt { is_good: health.failing_since.is_none() && !parks, rest, host }
}

/// Writes the message off the runtime's threads, as a secret may lie on a slow disk. `None`: the runtime is stopping.
async fn write(
    settings: &Arc<ChannelSettings>,
    config: &Config,
    delivery: &mut ClaimedDelivery,
    form: Form,
    at: Timestamp,
) -> Option<Result<Written, Verdict>> {
    let (settings, templates) = (Arc::clone(settings), Arc::clone(&config.templates));
    let notification = delivery.notification.clone();
    // What is written needs no facts any more, and a thousand receivers may hang.
    delivery.notification.data.items = Vec::new();
    let write = move || send::write(&settings, &templates, &notification, form, at);
    match tokio::task::spawn_blocking(write).await {
        Ok(written) => Some(written),
        Err(error) => {
            task::note_panic("delivery", error.try_into_panic().ok()?.as_ref());
            Some(Err(panicked()))
        }
    }
}

fn panicked() -> Verdict {
    Verdict::Dead { reason: PANICKED.to_owned() }
}

/// A receiver that is gone may only have moved: where a store holds another address or key by now, that is tried before the
/// channel is parked.
async fn unless_renewed(settings: &ChannelSettings, sent: Sent) -> Sent {
    match sent.verdict {
        Verdict::Parked { reason } if fetch::have_changed(settings).await => {
            let reason = format!("{reason}; its store holds another secret by now");
            Sent { verdict: Verdict::Retry { reason, after: None }, ..sent }
        }
        verdict => Sent { verdict, ..sent },
    }
}

/// Says whose notifications came to rest.
fn report_settled(context: &Context, tenants: BTreeSet<TenantId>) {
    for tenant in tenants {
        context.report_settled(tenant);
    }
}

/// How the channel stands after an attempt.
fn health_after(
    settings: &ChannelSettings,
    delivery: &ClaimedDelivery,
    verdict: &Verdict,
    now: Timestamp,
) -> ChannelHealth {
    let fared = match verdict {
        Verdict::Retry { after, .. } => Fared::Badly { asked: after.unwrap_or_default() },
        Verdict::Delivered
        | Verdict::Plainer { .. }
        | Verdict::Rejected { .. }
        | Verdict::Dead { .. }
        | Verdict::Parked { .. } => Fared::Well,
    };
    let (before, draw) = (delivery.health, rand::random());
    if delivery.notification.kind == NotificationType::Drill {
        before.after_drill(fared, settings.pace, settings.retry, draw, now)
    } else {
        before.after(fared, settings.pace, settings.retry, draw, now)
    }
}

/// Takes out of a digest or a fleet shift's notice what the channel may not show any more. `false`: there is nothing to send now. A
/// digest counts what it does not show, so it is taken apart, and the next one is made of what is left.
async fn suppress(
    context: &Context,
    config: &Config,
    settings: &ChannelSettings,
    delivery: &mut ClaimedDelivery,
) -> bool {
    let tenants = admission::tenants(delivery);
    let refused = admission::not_shown(config, settings, delivery);
    if !refused.is_empty() && !context.division.agrees() {
        settle(context, delivery, admission::refused(context, admission::OUTSIDE_AUDIENCE), None).await;
        return false;
    }
    let is_notice = delivery.notification.kind == NotificationType::FleetShift;
    if is_notice {
        admission::retain_shown(config, settings, delivery);
    }
    if refused.is_empty() {
        return true;
    }
    let now = context.clock.now();
    warn!(channel = %settings.name, delivery = %delivery.id, tenants = refused.len(), "not sent: {}", admission::OUTSIDE_AUDIENCE);
    let suppressed = context.store.suppress(delivery.id, refused, !is_notice, admission::OUTSIDE_AUDIENCE, now).await;
    if let Err(error) = suppressed {
        error!(delivery = %delivery.id, %error, "what may not be shown could not be taken out; trying again");
        settle(context, delivery, AttemptOutcome::NotMade, None).await;
        context.rest(Some(STORE_TROUBLE_WAIT), None).await;
        return false;
    }
    if is_notice && !delivery.notification.data.items.is_empty() {
        return true;
    }
    if is_notice {
        let outcome = AttemptOutcome::Dead { error: admission::OUTSIDE_AUDIENCE.to_owned() };
        settle(context, delivery, outcome, None).await;
    }
    report_settled(context, tenants);
    false
}

async fn settle(context: &Context, delivery: &ClaimedDelivery, outcome: AttemptOutcome, health: Option<ChannelHealth>) {
    record(context, delivery.id, delivery.attempt, outcome, health).await;
}

/// Records what came of an attempt, again and again while the store can't be written: an attempt without an outcome would
/// hold its channel up. At shutdown it is given up; the next start finds the attempt and repeats it, marked.
async fn record(
    context: &Context,
    delivery: DeliveryId,
    attempt: u32,
    outcome: AttemptOutcome,
    health: Option<ChannelHealth>,
) {
    loop {
        let now = context.clock.now();
        let settled = context.store.settle(delivery, attempt, outcome.clone(), health, now).await;
        let Err(error) = settled else { return };
        error!(%delivery, %error, "an attempt's outcome could not be recorded; trying again");
        if context.shutdown.is_cancelled() {
            return;
        }
        context.rest(Some(STORE_TROUBLE_WAIT), None).await;
    }
}

fn outcome_of(settings: &ChannelSettings, delivery: &ClaimedDelivery, sent: Sent, now: Timestamp) -> AttemptOutcome {
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
