//! One channel's worker: takes its deliveries one after the other, at the channel's pace, one request in flight.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::{
    attempt::{Attempt, deliver},
    dispatch::Dispatcher,
};
use crate::{
    domain::{ChannelName, Timestamp},
    store::{Claim, ClaimTerms, StoreError},
};

/// How long to wait when the store does not answer as it should.
pub(super) const STORE_TROUBLE_WAIT: Duration = Duration::from_secs(2);

/// A parked channel is tried no more often than this, however short its `retry.max`.
const PROBE_AFTER_MIN: Duration = Duration::from_secs(1);

/// Serves one channel until shutdown.
pub(super) async fn serve(
    dispatcher: Dispatcher,
    channel: ChannelName,
    hint: Arc<Notify>,
    shutdown: CancellationToken,
) {
    let mut host = None;
    while !shutdown.is_cancelled() {
        // Nothing is sent by a route that is not in force any more.
        if let Err(error) = dispatcher.ensure_routes().await {
            error!(%channel, %error, "the routes of the configuration could not be put into effect; trying again");
            rest(&dispatcher, Some(STORE_TROUBLE_WAIT), None, &shutdown).await;
            continue;
        }
        let now = dispatcher.clock.now();
        let terms = terms(&dispatcher, &channel, host.as_deref(), now);
        let (wait, hint) = match dispatcher.store.claim(&channel, terms, now).await {
            Ok(Claim::Send(delivery)) => match deliver(&dispatcher, &channel, *delivery, &shutdown).await {
                Some(attempt) => {
                    host = attempt.host.or(host);
                    (Some(attempt.rest), None)
                }
                None => continue,
            },
            Ok(Claim::Wait(until)) => (Some(until.since(now)), Some(&*hint)),
            Ok(Claim::Idle) => (None, Some(&*hint)),
            Ok(Claim::Parked) => {
                dispatcher.notify_trouble().await;
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
            Some(Attempt { is_good: false, .. }) => return Ok((true, false)),
            Some(attempt) => {
                host = attempt.host.or(host);
                rest(dispatcher, Some(attempt.rest), None, shutdown).await;
            }
            None => {}
        }
    }
    Ok((has_sent, true))
}

/// On which terms the channel takes its next delivery.
fn terms(dispatcher: &Dispatcher, channel: &ChannelName, host: Option<&str>, now: Timestamp) -> ClaimTerms {
    let config = dispatcher.config.borrow().clone();
    let Some(settings) = config.channels.get(channel) else { return ClaimTerms::default() };
    ClaimTerms {
        digest_lines: settings.digest_lines(),
        merge_over: (!settings.kind.keeps_state()).then_some(settings.digest_over),
        retries_from: host.map_or(now, |host| dispatcher.budget.retries_from(host, now)),
        longest_cooldown: settings.longest_cooldown(),
        probe_after: settings.retry.max.max(PROBE_AFTER_MIN),
    }
}

/// Waits for the time, a hint or shutdown, whichever comes first.
pub(super) async fn rest(
    dispatcher: &Dispatcher,
    wait: Option<Duration>,
    hint: Option<&Notify>,
    shutdown: &CancellationToken,
) {
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
