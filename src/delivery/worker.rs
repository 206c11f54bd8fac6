//! One channel's worker: takes its deliveries one after the other, at the channel's pace, one request in flight.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tracing::error;

use super::{
    attempt::{Attempt, deliver},
    context::{Context, STORE_TROUBLE_WAIT},
    operator, reroute,
};
use crate::{
    domain::{ChannelName, Timestamp},
    store::{Claim, ClaimTerms, StoreError},
};

/// A parked channel is tried no more often than this, however short its `retry.max`.
const PROBE_AFTER_MIN: Duration = Duration::from_secs(1);

/// Serves one channel until shutdown, while it is this replica's.
pub(super) async fn serve(context: Context, channel: ChannelName, hint: Arc<Notify>) {
    let mut host = None;
    while !context.shutdown.is_cancelled() {
        match turn(&context, &channel, &mut host).await {
            Then::Next => {}
            Then::Wait(wait) => context.rest(Some(wait), None).await,
            Then::Hint(wait) => context.rest(wait, Some(&*hint)).await,
        }
    }
}

/// When a worker goes on.
enum Then {
    Next,
    Wait(Duration),
    /// When there may be something to send, or after that time.
    Hint(Option<Duration>),
}

/// Sends what is next on a channel, if it is this replica's.
async fn turn(context: &Context, channel: &ChannelName, host: &mut Option<String>) -> Then {
    // Whoever takes the channel over wakes its worker.
    let Some(_tenure) = context.serve(channel) else { return Then::Hint(None) };
    // While replicas run different configurations, one that does not have the channel leaves its queue to those that do.
    if !context.division.agrees() && !context.config.borrow().channels.contains_key(channel) {
        return Then::Hint(None);
    }
    // Nothing is sent by a route that is not in force any more.
    if let Err(error) = reroute::ensure(context).await {
        error!(%channel, %error, "the routes of the configuration could not be put into effect; trying again");
        return Then::Wait(STORE_TROUBLE_WAIT);
    }
    let now = context.clock.now();
    let terms = terms(context, channel, host.as_deref(), now);
    match context.store.claim(channel, terms, now).await {
        Ok(Claim::Send(delivery)) => match deliver(context, channel, *delivery).await {
            Some(attempt) => {
                *host = attempt.host.or(host.take());
                Then::Wait(attempt.rest)
            }
            None => Then::Next,
        },
        Ok(Claim::Wait(until)) => Then::Hint(Some(until.since(now))),
        Ok(Claim::Idle) => Then::Hint(None),
        Ok(Claim::Parked) => {
            operator::notify_trouble(context).await;
            Then::Hint(None)
        }
        Err(error) => {
            error!(%channel, %error, "the next delivery could not be claimed");
            Then::Wait(STORE_TROUBLE_WAIT)
        }
    }
}

/// Sends all that is due now on one channel, up to the first attempt that fails. Returns whether anything was sent, and
/// whether the receiver is as it should be.
pub(super) async fn drain(context: &Context, channel: &ChannelName) -> Result<(bool, bool), StoreError> {
    let (mut has_sent, mut host) = (false, None);
    while !context.shutdown.is_cancelled() {
        let now = context.clock.now();
        let terms = terms(context, channel, host.as_deref(), now);
        let Claim::Send(delivery) = context.store.claim(channel, terms, now).await? else { break };
        has_sent = true;
        match deliver(context, channel, *delivery).await {
            Some(Attempt { is_good: false, .. }) => return Ok((true, false)),
            Some(attempt) => {
                host = attempt.host.or(host);
                context.rest(Some(attempt.rest), None).await;
            }
            None => {}
        }
    }
    Ok((has_sent, true))
}

/// On which terms the channel takes its next delivery.
fn terms(context: &Context, channel: &ChannelName, host: Option<&str>, now: Timestamp) -> ClaimTerms {
    let config = context.config.borrow().clone();
    let Some(settings) = config.channels.get(channel) else { return ClaimTerms::default() };
    ClaimTerms {
        digest_lines: settings.digest_lines(),
        merge_over: (!settings.kind.keeps_state()).then_some(settings.digest_over),
        merges_readings: settings.kind.is_read_by_people(),
        retries_from: host.map_or(now, |host| context.budget.retries_from(host, now)),
        longest_cooldown: settings.longest_cooldown(),
        probe_after: settings.retry.max.max(PROBE_AFTER_MIN),
    }
}
