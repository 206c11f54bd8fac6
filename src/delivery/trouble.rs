//! What there is to say to the operator of a channel in trouble, in words.

use std::time::Duration;

use crate::{
    channel::ChannelSettings,
    config::Config,
    domain::{ChannelName, Timestamp},
    notify::{
        Notification, NotificationType,
        channel_health::{FailedPeriod, TROUBLE_REPORTED_AFTER},
        compose,
        facts::wording::News,
        notification::OperatorFacts,
        parking::SECRET_UNREADABLE,
    },
    store::{ChannelRecord, DeadLetters, ParkedChannel},
};

use super::secrets;

/// An end of trouble that is older is not news any more.
const NEWS_FOR: Duration = Duration::from_hours(24);
/// The operator is notified again of a parked channel for which notifications wait.
const PARKED_AGAIN_EVERY: Duration = Duration::from_hours(24);

/// What there is to say of a channel.
pub(super) enum Trouble<'a> {
    Parked { parked: &'a ParkedChannel, waiting: u64, days: u64 },
    Failing { since: Timestamp, error: &'a str },
    Over(FailedPeriod),
    Unproven { since: Timestamp, was_proven: bool },
    Dead { letters: &'a DeadLetters, now: Timestamp },
}

/// The troubles of a channel for which that many deliveries wait. `settings`: `None` for one that is no longer configured.
pub(super) fn of<'a>(
    record: &'a ChannelRecord,
    settings: Option<&ChannelSettings>,
    waiting: u64,
    now: Timestamp,
) -> impl Iterator<Item = Trouble<'a>> {
    let health = &record.health;
    let failing = health.failing_since.filter(|since| now.since(*since) >= TROUBLE_REPORTED_AFTER);
    let over = health.failed.filter(|period| period.until.since(period.from) >= TROUBLE_REPORTED_AFTER);
    let over = over.into_iter().chain(record.was_parked).filter(move |period| now.since(period.until) < NEWS_FOR);
    let error = record.last_error.as_deref().unwrap_or("no reason is known");
    let unproven = settings
        .and_then(|settings| record.last_verified().missing_since(settings.drill?, now))
        .map(|since| Trouble::Unproven { since, was_proven: health.proven_at.is_some() });
    let parked = record.parked.iter().map(move |parked| {
        let days = now.since(parked.since).as_secs() / PARKED_AGAIN_EVERY.as_secs();
        Trouble::Parked { parked, waiting, days: if waiting == 0 { 0 } else { days } }
    });
    let failing = failing.map(|since| Trouble::Failing { since, error });
    parked.chain(failing).chain(over.map(Trouble::Over)).chain(unproven)
}

/// What a notification says, and what its id is made from beside the channel.
struct Said {
    class: &'static str,
    news: News,
    from: Timestamp,
    until: Option<Timestamp>,
    /// Distinguishes it from others of its class and beginning.
    part: Option<String>,
}

impl Trouble<'_> {
    /// The notification; its id is made from the channel and the time at which its trouble began.
    pub(super) fn notification(&self, store: &str, config: &Config, channel: &ChannelName) -> Notification {
        let Said { class, news, from, until, part } = self.said(config, channel);
        let facts =
            OperatorFacts { from: Some(from), until, ..OperatorFacts::of(news, class, Some(channel.to_string())) };
        // Whoever sees first that a secret can't be read notifies the operator, and nobody else that day.
        let at = if class == secrets::CLASS { secrets::day(from) } else { from.to_string() };
        // The oldest of them had no class in its id.
        let class = if class == "channel-parked" { "operator.channel" } else { class };
        let parts: Vec<&str> = [class, store, channel.as_str(), &at].into_iter().chain(part.as_deref()).collect();
        let kind = NotificationType::OperatorChannel;
        let mut notification = compose::for_operator(kind, &parts, None, facts, until.unwrap_or(from));
        let settings = config.channels.get(channel).filter(|_| until.is_none());
        notification.data.links.fix = settings.and_then(|settings| settings.kind.fix_page()).map(str::to_owned);
        notification
    }

    fn said(&self, config: &Config, channel: &ChannelName) -> Said {
        match self {
            Self::Parked { parked, waiting, days } => {
                let (reason, waiting) = (parked.reason.clone(), *waiting);
                let (class, news) = if parked.reason.starts_with(SECRET_UNREADABLE) {
                    (secrets::CLASS, News::ChannelLacksSecret { reason, waiting })
                } else {
                    ("channel-parked", News::ChannelParked { reason, waiting, is_still: *days > 0 })
                };
                let part = (*days > 0).then(|| format!("day {days}"));
                Said { class, news, from: parked.since, until: None, part }
            }
            Self::Failing { since, error } => {
                let news = News::ChannelFailing { error: (*error).to_owned() };
                Said { class: "channel-failing", news, from: *since, until: None, part: None }
            }
            Self::Over(FailedPeriod { from, until }) => {
                let news = News::ChannelWorksAgain;
                Said { class: "channel-works-again", news, from: *from, until: Some(*until), part: None }
            }
            Self::Unproven { since, was_proven } => {
                let settings = config.channels.get(channel);
                let by_people = settings.is_some_and(|settings| config.is_proven_by_people(settings));
                let news = News::ChannelUnproven { was_proven: *was_proven, by_people };
                Said { class: "channel-unproven", news, from: *since, until: None, part: None }
            }
            Self::Dead { letters, now } => {
                let DeadLetters { cause, count, first, since, .. } = letters;
                let news = News::DeadLetters { count: *count, cause: cause.clone(), first: first.0 };
                let part = Some(format!("{cause} {now}"));
                Said { class: "dead-letter", news, from: *since, until: None, part }
            }
        }
    }
}
