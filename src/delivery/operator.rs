//! What the operator must hear about channels: through another channel than the one in trouble.

use std::{
    collections::HashSet,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    channel::ChannelSettings,
    config::Config,
    domain::{ChannelName, Timestamp},
    notify::{
        NotificationId, NotificationType, compose,
        notification::OperatorFacts,
        standing::{FailedPeriod, TROUBLE_TOLD_AFTER},
    },
    store::{ChannelRecord, NewNotification, ParkedChannel, StoreError},
};

use super::{Dispatcher, secrets, send::SECRET_UNREADABLE};

/// An end of trouble that is older is not told any more.
const NEWS_FOR: Duration = Duration::from_hours(24);

/// Tells the operator of every channel that refuses everything, of every one that has failed for a while, of its end, and of
/// every one that has long not been proven. The same is told once, also after a crash: what is told is made from the store's own
/// record of it. Returns the channels that have something to send.
pub(super) async fn tell(dispatcher: &Dispatcher) -> Result<Vec<ChannelName>, StoreError> {
    let mut busy = Vec::new();
    let now = dispatcher.clock.now();
    for record in dispatcher.store.channels().await? {
        let config = dispatcher.config.borrow().clone();
        for trouble in troubles(&record, config.channels.get(&record.channel).map(AsRef::as_ref), now) {
            let new = trouble.notification(dispatcher.store.identity(), &config, &record.channel);
            let id = new.notification.data.notification.id.clone();
            if told(dispatcher).contains(&id) {
                continue;
            }
            let channels = new.channels.clone();
            if dispatcher.store.announce(new, now).await? {
                busy.extend(channels);
            }
            told(dispatcher).insert(id);
        }
    }
    Ok(busy)
}

fn told(dispatcher: &Dispatcher) -> MutexGuard<'_, HashSet<NotificationId>> {
    dispatcher.told_troubles.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What there is to tell of a channel.
enum Trouble<'a> {
    Parked(&'a ParkedChannel),
    Failing { since: Timestamp, error: &'a str },
    Over(FailedPeriod),
    Unproven { since: Timestamp, was_proven: bool },
}

/// `settings`: `None` for a channel that is no longer configured.
fn troubles<'a>(
    record: &'a ChannelRecord,
    settings: Option<&ChannelSettings>,
    now: Timestamp,
) -> impl Iterator<Item = Trouble<'a>> {
    let standing = &record.standing;
    let failing = standing.failing_since.filter(|since| now.since(*since) >= TROUBLE_TOLD_AFTER);
    let over = standing
        .failed
        .filter(|period| period.until.since(period.from) >= TROUBLE_TOLD_AFTER && now.since(period.until) < NEWS_FOR);
    let error = record.last_error.as_deref().unwrap_or("no reason is known");
    let unproven = settings
        .and_then(|settings| record.proof().missing_since(settings.drill?, now))
        .map(|since| Trouble::Unproven { since, was_proven: standing.proven_at.is_some() });
    let parked = record.parked.iter().map(Trouble::Parked);
    let failing = failing.map(|since| Trouble::Failing { since, error });
    parked.chain(failing).chain(over.map(Trouble::Over)).chain(unproven)
}

impl Trouble<'_> {
    /// The notification; its id is made from the channel and the time at which its trouble began.
    fn notification(&self, store: &str, config: &Config, channel: &ChannelName) -> NewNotification {
        let (what, summary, hint, from, until) = match self {
            Self::Parked(ParkedChannel { reason, since, .. }) if reason.starts_with(SECRET_UNREADABLE) => (
                secrets::CLASS,
                format!("Channel `{channel}` can't be used: {reason}. What is queued for it waits."),
                Some("put the secret there, readable by the service; the channel goes on by itself then".to_owned()),
                *since,
                None,
            ),
            Self::Parked(ParkedChannel { reason, since, .. }) => (
                "channel-parked",
                format!("Channel `{channel}` refuses what it is sent ({reason}). Its queue is kept."),
                Some(format!("mend the receiver or its URL, then run `scorewatch channels unpark {channel}`")),
                *since,
                None,
            ),
            Self::Failing { since, error } => (
                "channel-failing",
                format!("Channel `{channel}` can't be reached ({error}). Its queue is kept and tried again and again."),
                Some("look whether its receiver is up; nothing is lost for as long as `retry.give_up`".to_owned()),
                *since,
                None,
            ),
            Self::Over(FailedPeriod { from, until }) => (
                "channel-works-again",
                format!("Channel `{channel}` takes messages again. What it missed is being sent."),
                None,
                *from,
                Some(*until),
            ),
            Self::Unproven { since, was_proven } => {
                let for_long = if *was_proven { "has not shown for long" } else { "has never shown" };
                let confirmed =
                    if config.channels.get(channel).is_some_and(|settings| config.is_proven_by_people(settings)) {
                        "nobody has confirmed a drill"
                    } else {
                        "no message was taken"
                    };
                (
                    "channel-unproven",
                    format!("Channel `{channel}` {for_long} that its messages arrive: {confirmed}."),
                    Some(format!(
                        "run `scorewatch channels drill {channel}`; where it does not arrive, mend the receiver or its URL, and where \
                         it does, press its button"
                    )),
                    *since,
                    None,
                )
            }
        };
        let may_hear = |told: &&ChannelName| *told != channel && config.channels.contains_key(*told);
        let channels = config.operator.notify.iter().filter(may_hear).cloned().collect();
        let facts = OperatorFacts {
            summary,
            class: what.to_owned(),
            hint,
            channel: Some(channel.to_string()),
            from: Some(from),
            until,
        };
        // Whoever sees first that a secret can't be read notifies the operator, and nobody else that day.
        let at = if what == secrets::CLASS { secrets::day(from) } else { from.to_string() };
        // The oldest of them had no class in its id.
        let class = if what == "channel-parked" { "operator.channel" } else { what };
        let parts = [class, store, channel.as_str(), &at];
        let notification =
            compose::for_operator(NotificationType::OperatorChannel, &parts, None, facts, until.unwrap_or(from));
        NewNotification { notification, alert: None, tenant: None, hold: None, channels }
    }
}
