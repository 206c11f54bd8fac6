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
    channel::ChannelSettings,
    domain::{ChannelName, Timestamp},
    store::{Claim, ClaimTerms, ClaimedDelivery, StoreError},
};

/// A parked channel is tried no more often than this, however short its `retry.max`.
const PROBE_AFTER_MIN: Duration = Duration::from_secs(1);

/// How long a storm lasts: what belongs to it is still being committed when its first digest is made.
const STORM_LASTS: Duration = Duration::from_mins(1);

/// What is remembered of a channel's last messages.
#[derive(Default)]
struct Remembered {
    /// The host that they were sent to.
    host: Option<String>,
    /// Until when even two notifications go out as one, since more than usual did a moment ago.
    storm_until: Option<Timestamp>,
}

impl Remembered {
    /// Notes an attempt at a message of that many lines, on a channel that makes a digest of more than `over`.
    fn note(&mut self, host: Option<String>, lines: usize, over: usize, now: Timestamp) {
        self.host = host.or(self.host.take());
        if lines > over {
            self.storm_until = Some(now.plus(STORM_LASTS));
        }
    }

    /// Over how many waiting notifications a digest is made.
    fn over(&self, over: usize, now: Timestamp) -> usize {
        if self.storm_until.is_some_and(|until| now < until) { over.min(1) } else { over }
    }
}

/// Serves one channel until shutdown, while it is this replica's.
pub(super) async fn serve(context: Context, channel: ChannelName, hint: Arc<Notify>) {
    let mut remembered = Remembered::default();
    while !context.shutdown.is_cancelled() {
        match turn(&context, &channel, &mut remembered).await {
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
async fn turn(context: &Context, channel: &ChannelName, remembered: &mut Remembered) -> Then {
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
    let settings = context.config.borrow().channels.get(channel).cloned();
    let terms = terms(context, settings.as_deref(), remembered, now);
    match context.store.claim(channel, terms, now).await {
        Ok(Claim::Send(delivery)) => {
            let lines = lines(&delivery);
            match deliver(context, channel, *delivery).await {
                Some(attempt) => {
                    remembered.note(attempt.host, lines, over(settings.as_deref()), now);
                    Then::Wait(attempt.rest)
                }
                None => Then::Next,
            }
        }
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
    let (mut has_sent, mut remembered) = (false, Remembered::default());
    while !context.shutdown.is_cancelled() {
        let now = context.clock.now();
        let settings = context.config.borrow().channels.get(channel).cloned();
        let terms = terms(context, settings.as_deref(), &remembered, now);
        let Claim::Send(delivery) = context.store.claim(channel, terms, now).await? else { break };
        let lines = lines(&delivery);
        has_sent = true;
        match deliver(context, channel, *delivery).await {
            Some(Attempt { is_good: false, .. }) => return Ok((true, false)),
            Some(attempt) => {
                remembered.note(attempt.host, lines, over(settings.as_deref()), now);
                context.rest(Some(attempt.rest), None).await;
            }
            None => {}
        }
    }
    Ok((has_sent, true))
}

/// How many lines a message has.
fn lines(delivery: &ClaimedDelivery) -> usize {
    let digest = delivery.notification.data.digest.as_ref();
    digest.map_or(1, |digest| digest.firing + digest.ended + digest.operator)
}

/// More than how many lines the digest of a storm has.
fn over(settings: Option<&ChannelSettings>) -> usize {
    settings.map_or(usize::MAX, |settings| settings.digest_over)
}

/// On which terms the channel takes its next delivery.
fn terms(context: &Context, settings: Option<&ChannelSettings>, remembered: &Remembered, now: Timestamp) -> ClaimTerms {
    let Some(settings) = settings else { return ClaimTerms::default() };
    let retries_from = |host| context.budget.retries_from(host, now);
    ClaimTerms {
        digest_lines: settings.digest_lines(),
        merge_over: (!settings.kind.keeps_state()).then(|| remembered.over(settings.digest_over, now)),
        merges_readings: settings.kind.is_read_by_people(),
        retries_from: remembered.host.as_deref().map_or(now, retries_from),
        longest_cooldown: settings.longest_cooldown(),
        probe_after: settings.retry.max.max(PROBE_AFTER_MIN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_digest_within_a_minute_is_merged_too() {
        const OVER: usize = 20;
        let begin = Timestamp::parse("2026-12-03T03:00:00Z").unwrap();
        let mut remembered = Remembered::default();
        // How many lines a message has, when it is sent, and over how many more the next is a digest.
        for (lines, seconds, over) in [
            (1, 0, 20),
            (20, 1, 20),
            (21, 2, 1),
            (1, 3, 1),
            (2, 30, 1),
            (2, 61, 1),
            (1, 62, 20),
            (10_000, 70, 1),
            (21, 129, 1),
            (1, 188, 1),
            (1, 189, 20),
        ] {
            let now = begin.plus(Duration::from_secs(seconds));
            remembered.note(None, lines, OVER, now);
            assert_eq!(remembered.over(OVER, now), over, "{lines} lines after {seconds} s");
        }
    }

    #[test]
    fn a_digest_of_one_is_asked_for_only_where_it_was_configured() {
        let now = Timestamp::parse("2026-12-03T03:00:00Z").unwrap();
        let remembered = Remembered { storm_until: Some(now.plus(STORM_LASTS)), host: None };
        assert_eq!((remembered.over(0, now), remembered.over(1, now), remembered.over(9, now)), (0, 1, 1));
    }
}
