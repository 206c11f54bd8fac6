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
        notification::OperatorFacts,
    },
    store::{ChannelRecord, DeadLetters, ParkedChannel},
};

use super::{secrets, send::SECRET_UNREADABLE};

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
    summary: String,
    /// The same in a few words.
    headline: String,
    /// What the headline leaves out.
    detail: String,
    hint: Option<String>,
    from: Timestamp,
    until: Option<Timestamp>,
    /// Distinguishes it from others of its class and beginning.
    part: Option<String>,
}

impl Trouble<'_> {
    /// The notification; its id is made from the channel and the time at which its trouble began.
    pub(super) fn notification(&self, store: &str, config: &Config, channel: &ChannelName) -> Notification {
        let Said { class, summary, headline, detail, hint, from, until, part } = match self {
            Self::Parked { parked, waiting, days } => parked_in_words(channel, parked, *waiting, *days),
            Self::Failing { since, error } => Said {
                class: "channel-failing",
                summary: format!("Channel `{channel}` can't be reached ({error}). Its queue is kept and retried."),
                headline: format!("Channel {channel} can't be reached"),
                detail: format!("{error}. Its queue is kept and retried."),
                hint: Some(
                    "check whether its receiver is up; nothing is lost for as long as `retry.give_up`".to_owned(),
                ),
                from: *since,
                until: None,
                part: None,
            },
            Self::Over(FailedPeriod { from, until }) => Said {
                class: "channel-works-again",
                summary: format!("Channel `{channel}` accepts messages again. What it missed is being sent."),
                headline: format!("Channel {channel} accepts messages again"),
                detail: "What it missed is being sent.".to_owned(),
                hint: None,
                from: *from,
                until: Some(*until),
                part: None,
            },
            Self::Unproven { since, was_proven } => unproven_in_words(config, channel, *since, *was_proven),
            Self::Dead { letters, now } => dead_in_words(channel, letters, *now),
        };
        let facts = OperatorFacts {
            summary,
            headline: Some(headline),
            detail: Some(detail),
            class: class.to_owned(),
            hint,
            channel: Some(channel.to_string()),
            from: Some(from),
            until,
        };
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
}

fn parked_in_words(channel: &ChannelName, parked: &ParkedChannel, waiting: u64, days: u64) -> Said {
    let verb = if days == 0 { "rejects" } else { "still rejects" };
    let kept = match waiting {
        0 => "Its queue is kept.".to_owned(),
        1 => "Its queue is kept; 1 notification is waiting.".to_owned(),
        _ => format!("Its queue is kept; {waiting} notifications are waiting."),
    };
    if parked.reason.starts_with(SECRET_UNREADABLE) {
        return Said {
            class: secrets::CLASS,
            summary: format!("Channel `{channel}` can't be used: {}. {kept}", parked.reason),
            headline: format!("Channel {channel} can't be used"),
            detail: format!("{}. {kept}", parked.reason),
            hint: Some(
                "put the secret there, readable by the service; the channel then goes on without a restart".to_owned(),
            ),
            from: parked.since,
            until: None,
            part: (days > 0).then(|| format!("day {days}")),
        };
    }
    Said {
        class: "channel-parked",
        summary: format!("Channel `{channel}` {verb} everything it is sent ({}). {kept}", parked.reason),
        headline: format!("Channel {channel} {verb} messages"),
        detail: format!("{}. {kept}", parked.reason),
        hint: Some(format!(
            "fix the receiver or its URL; a changed URL is tried immediately, and so is the queue after `scorewatch channels \
             unpark {channel}`"
        )),
        from: parked.since,
        until: None,
        part: (days > 0).then(|| format!("day {days}")),
    }
}

fn unproven_in_words(config: &Config, channel: &ChannelName, since: Timestamp, was_proven: bool) -> Said {
    let for_long = if was_proven { "has not shown for a long time" } else { "has never shown" };
    let by_people = config.channels.get(channel).is_some_and(|settings| config.is_proven_by_people(settings));
    let confirmed = if by_people { "nobody has confirmed a drill" } else { "no message was accepted" };
    Said {
        class: "channel-unproven",
        summary: format!("Channel `{channel}` {for_long} that its messages arrive: {confirmed}."),
        headline: format!("Channel {channel}: {confirmed}"),
        detail: format!("It {for_long} that its messages arrive."),
        hint: Some(format!(
            "run `scorewatch channels drill {channel}`; if it does not arrive, fix the receiver or its URL, and if it does, press \
             its button"
        )),
        from: since,
        until: None,
        part: None,
    }
}

fn dead_in_words(channel: &ChannelName, letters: &DeadLetters, now: Timestamp) -> Said {
    let DeadLetters { cause, count, first, since, .. } = letters;
    let (messages, are) =
        if *count == 1 { ("1 message", "It is") } else { (&*format!("{count} messages"), "They are") };
    Said {
        class: "dead-letter",
        summary: format!(
            "{messages} could not be delivered to channel `{channel}`: {cause}. {are} kept as dead letters."
        ),
        headline: format!("{messages} to channel {channel} not delivered"),
        detail: format!("Reason: {cause}. {are} kept as dead letters."),
        hint: Some(format!(
            "fix the cause, then run `scorewatch deliveries resend {first}`; `scorewatch deliveries list --state dead` lists them all"
        )),
        from: *since,
        until: None,
        part: Some(format!("{cause} {now}")),
    }
}
