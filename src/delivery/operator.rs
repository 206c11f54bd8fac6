//! What the operator must be notified about channels: through another channel than the one in trouble, wherever there is one.

use std::{
    collections::HashSet,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use tracing::error;

use super::{
    context::Context,
    trouble::{self, Trouble},
};
use crate::{
    config::Config,
    domain::{ChannelName, Timestamp},
    notify::NotificationId,
    store::{ChannelRecord, DeadLetters, NewNotification, StoreError},
};

/// The operator is notified of dead letters of one channel and cause at most once in that time. Later ones are in the next message.
const DEAD_LETTERS_EVERY: Duration = Duration::from_hours(24);

/// Notifies the operator of every channel that rejects everything, and again each day while notifications wait for it; of every one
/// that has been failing for a while; of the end of either; of every one that has not been proven for a long time; and of dead
/// letters. Each is notified once, also after a crash: the notification is made from the store's own record. Returns the channels
/// that have something to send.
pub(super) async fn notify(context: &Context) -> Result<Vec<ChannelName>, StoreError> {
    let mut busy = Vec::new();
    // Of several replicas one does, so that nothing is reported twice.
    let Some(_tenure) = context.lead() else { return Ok(busy) };
    let now = context.clock.now();
    let records = context.store.channels().await?;
    let waiting = waiting(context, &records).await?;
    for record in records {
        let config = context.config.borrow().clone();
        let count = waiting.iter().filter(|(channel, _)| *channel == record.channel).map(|(_, count)| count).sum();
        for trouble in trouble::of(&record, config.channels.get(&record.channel).map(AsRef::as_ref), count, now) {
            let new = notification(&trouble, context.store.identity(), &config, &record.channel);
            let id = new.notification.data.notification.id.clone();
            if reported(context).contains(&id) {
                continue;
            }
            let channels = new.channels.clone();
            if context.store.announce(new, now).await? {
                busy.extend(channels);
            }
            reported(context).insert(id);
        }
    }
    for letters in context.store.unnoticed_dead(now.minus(DEAD_LETTERS_EVERY)).await? {
        busy.extend(notify_of_dead(context, letters, now).await?);
    }
    Ok(busy)
}

/// The same; wakes those channels. What fails is tried again.
pub(super) async fn notify_trouble(context: &Context) {
    match notify(context).await {
        Ok(channels) => channels.iter().for_each(|channel| context.wake(channel)),
        Err(error) => error!(%error, "the operator could not be notified of channels in trouble; trying again"),
    }
}

async fn notify_of_dead(
    context: &Context,
    letters: DeadLetters,
    now: Timestamp,
) -> Result<Vec<ChannelName>, StoreError> {
    let config = context.config.borrow().clone();
    let trouble = Trouble::Dead { letters: &letters, now };
    let new = notification(&trouble, context.store.identity(), &config, &letters.channel);
    let channels = new.channels.clone();
    context.store.notice_dead(letters, new, now).await?;
    Ok(channels)
}

/// How many deliveries wait for each channel; asked only if one of them is parked.
async fn waiting(context: &Context, records: &[ChannelRecord]) -> Result<Vec<(ChannelName, u64)>, StoreError> {
    if records.iter().all(|record| record.parked.is_none()) {
        return Ok(Vec::new());
    }
    let totals = context.store.totals().await?;
    let unfinished = totals.deliveries.into_iter().filter(|(_, state, _)| !state.is_finished());
    Ok(unfinished.map(|(channel, _, count)| (channel, count)).collect())
}

fn reported(context: &Context) -> MutexGuard<'_, HashSet<NotificationId>> {
    context.reported_troubles.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The notification, to the operator's channels other than the one in trouble. Where there is no other, it waits for that one to
/// work again: the operator's messages are never lost.
fn notification(trouble: &Trouble<'_>, store: &str, config: &Config, channel: &ChannelName) -> NewNotification {
    let notification = trouble.notification(store, config, channel);
    let is_configured = |one: &&ChannelName| config.channels.contains_key(*one);
    let all: Vec<_> = config.operator.notify.iter().filter(is_configured).cloned().collect();
    let mut channels: Vec<_> = all.iter().filter(|one| *one != channel).cloned().collect();
    if channels.is_empty() {
        let said = notification.data.operator.as_ref().map_or("", |operator| operator.summary.as_str());
        error!(%channel, "the operator has no other channel and can't be notified now: {said}");
        channels = all;
    }
    NewNotification { notification, alert: None, tenant: None, hold: None, channels }
}
