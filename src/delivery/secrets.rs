//! Watches the secrets of channels that can't be read. Then the channel is parked: its queue waits, the operator is notified, and it goes on once they can be read.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tracing::{error, info};

use super::context::Context;
pub use super::fetch::fetch;
use crate::{
    channel::{self, ChannelSettings, ComposeError, Form},
    config::Config,
    domain::{ChannelName, Timestamp},
    notify::{
        NotificationType, compose, facts::wording::News, notification::OperatorFacts, parking::SECRET_UNREADABLE,
    },
    store::{NewEntry, NewNotification, Shard, StoreError},
    template::sample,
};

/// Channels whose secrets are tried at one time.
const TRIED_MAX: usize = 32;
/// How often the secrets of channels that are not parked are examined. A delivery looks at them anyway.
const LOOK_INTERVAL: Duration = Duration::from_mins(1);
/// The class of the operator's notification.
pub(super) const CLASS: &str = "channel-secret-unreadable";

/// What is known of channels whose secrets can't be read. In memory only: the store knows which of them are parked for it, and
/// whom the operator was notified of.
#[derive(Debug, Default)]
pub struct SecretWatch(Mutex<Watched>);

#[derive(Debug, Default)]
struct Watched {
    looked_at: Option<Timestamp>,
    /// The configuration that was checked, by its address in memory.
    config: usize,
    unreadable: BTreeMap<ChannelName, String>,
}

/// A look at the secrets of many channels.
struct Look {
    /// Those that can't be read, and why; `None`: they can.
    found: Vec<(ChannelName, Option<ComposeError>)>,
}

/// Looks which channels' secrets can't be read: lets a channel go on that is parked for that and whose secrets can be read
/// again, and notifies the operator of the others, once a day.
///
/// # Errors
/// [`StoreError`]; the next look makes up for it.
pub async fn watch(context: &Context, known: &SecretWatch) -> Result<(), StoreError> {
    let (now, config) = (context.clock.now(), context.config.borrow().clone());
    let mut parked = Vec::new();
    for record in context.store.channels().await? {
        if record.parked.is_some_and(|parked| parked.reason.starts_with(SECRET_UNREADABLE)) {
            parked.push(record.channel);
        }
    }
    let mut wanted = known.wanted(&config, &parked, now);
    // The files of this machine say nothing of a channel that is served elsewhere.
    wanted.retain(|settings| context.division.owns(Shard::of_channel(&settings.name)));
    let look = look(&config, wanted).await;
    let mut done = Ok(());
    for (channel, error) in look.found {
        let is_parked = parked.contains(&channel);
        let acted = match error {
            Some(error) => begins(context, known, &config, &channel, is_parked, &error).await,
            None => ends(context, known, &config, &channel, is_parked).await,
        };
        // Trouble with one channel keeps nobody from hearing of the others.
        done = done.and(acted);
    }
    context.metrics.channel_secrets_unreadable(known.count());
    done
}

/// A channel's secrets can't be read.
async fn begins(
    context: &Context,
    known: &SecretWatch,
    config: &Config,
    channel: &ChannelName,
    is_parked: bool,
    error: &ComposeError,
) -> Result<(), StoreError> {
    if known.begins(channel, error) {
        error!(%channel, "{SECRET_UNREADABLE}: {error}");
    }
    // Of a parked channel the operator is notified anyway, and reminded.
    if is_parked {
        return Ok(());
    }
    announce(context, unreadable(context.store.identity(), config, channel, error, context.clock.now())).await
}

/// A channel's secrets can be read, perhaps again.
async fn ends(
    context: &Context,
    known: &SecretWatch,
    config: &Config,
    channel: &ChannelName,
    is_parked: bool,
) -> Result<(), StoreError> {
    let (was, now) = (known.ends(channel), context.clock.now());
    let entry = NewEntry::by_service("channel.unpark", Some(format!("channel {channel}")), now);
    if is_parked && context.store.unpark(channel, entry).await? {
        info!(%channel, "the channel's secrets can be read again; its queue goes on");
        context.wake(channel);
    } else if let Some(was) = was {
        info!(%channel, was, "the channel's secrets can be read again");
        announce(context, readable(context.store.identity(), config, channel, now)).await?;
    }
    Ok(())
}

async fn announce(context: &Context, new: NewNotification) -> Result<(), StoreError> {
    let channels = new.channels.clone();
    if context.store.announce(new, context.clock.now()).await? {
        for channel in &channels {
            context.wake(channel);
        }
    }
    Ok(())
}

impl SecretWatch {
    /// The channels to look at now: those that are parked for it; now and then, and after a reload, all.
    fn wanted(&self, config: &Arc<Config>, parked: &[ChannelName], now: Timestamp) -> Vec<Arc<ChannelSettings>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = Arc::as_ptr(config).addr();
        let is_new = known.config != address;
        let is_due = known.looked_at.is_none_or(|at| now < at || now.since(at) >= LOOK_INTERVAL);
        if is_new || is_due {
            (known.config, known.looked_at) = (address, Some(now));
        }
        known.unreadable.retain(|channel, _| config.channels.contains_key(channel));
        let wanted = |settings: &&Arc<ChannelSettings>| {
            let secrets = settings.kind.secrets();
            // A program or a store is not asked for nothing.
            let is_here = secrets.iter().all(|secret| !secret.is_stored());
            !secrets.is_empty()
                && (is_new
                    || (is_due && is_here)
                    || parked.contains(&settings.name)
                    || known.unreadable.contains_key(&settings.name))
        };
        config.channels.values().filter(wanted).cloned().collect()
    }

    /// Notes that they can't be read. Whether that, or the reason, is new.
    fn begins(&self, channel: &ChannelName, error: &ComposeError) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let what = error.to_string();
        known.unreadable.insert(channel.clone(), what.clone()) != Some(what)
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unreadable.len()
    }

    /// Notes that they can be read. Why they could not, if that is new.
    fn ends(&self, channel: &ChannelName) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unreadable.remove(channel)
    }
}

/// Writes a message as if it were sent, which reads every secret of the channel.
async fn look(config: &Arc<Config>, channels: Vec<Arc<ChannelSettings>>) -> Look {
    let tried = channels.into_iter().map(async |settings| {
        fetch(&settings).await;
        let (name, templates) = (settings.name.clone(), Arc::clone(&config.templates));
        let write = move || {
            let message = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
            channel::open(&settings, &templates).compose(&message, Form::Rich, Timestamp::EPOCH).err()
        };
        let error = tokio::task::spawn_blocking(write).await.ok().flatten();
        (name, error.filter(|error| matches!(error, ComposeError::Secret(_))))
    });
    Look { found: stream::iter(tried).buffer_unordered(TRIED_MAX).collect().await }
}

/// The operator's notification that a channel's secrets can't be read: one a day as long as that lasts.
fn unreadable(
    store: &str,
    config: &Config,
    channel: &ChannelName,
    error: &ComposeError,
    now: Timestamp,
) -> NewNotification {
    let hint = match error {
        ComposeError::Secret(error) => format!("{}: {}", error.place, error.hint),
        _ => String::new(),
    };
    let news = News::SecretsUnreadable { error: format!("{SECRET_UNREADABLE} ({error})"), hint };
    let facts = OperatorFacts { from: Some(now), ..OperatorFacts::of(news, CLASS, Some(channel.to_string())) };
    let day = day(now);
    notice(config, channel, &[CLASS, store, channel.as_str(), &day], facts, now)
}

fn readable(store: &str, config: &Config, channel: &ChannelName, now: Timestamp) -> NewNotification {
    let class = "channel-secret-readable";
    let news = News::SecretsReadable;
    let facts = OperatorFacts { until: Some(now), ..OperatorFacts::of(news, class, Some(channel.to_string())) };
    let at = now.to_string();
    notice(config, channel, &[class, store, channel.as_str(), &at], facts, now)
}

/// For the operator's other channels.
fn notice(
    config: &Config,
    channel: &ChannelName,
    parts: &[&str],
    facts: OperatorFacts,
    now: Timestamp,
) -> NewNotification {
    let others = |other: &&ChannelName| *other != channel && config.channels.contains_key(*other);
    let channels = config.operator.notify.iter().filter(others).cloned().collect();
    let notification = compose::for_operator(NotificationType::OperatorChannel, parts, None, facts, now);
    NewNotification { notification, alert: None, tenant: None, hold: None, channels }
}

/// The day of an instant, in UTC.
pub(super) fn day(at: Timestamp) -> String {
    at.to_chrono().format("%Y-%m-%d").to_string()
}
