//! What the operator must hear about channels: through another channel than the one that fails.

use std::{
    collections::HashSet,
    sync::{MutexGuard, PoisonError},
};

use crate::{
    config::Config,
    domain::{ChannelName, Timestamp},
    notify::{NotificationType, compose, notification::OperatorFacts},
    store::{NewNotification, ParkedChannel, StoreError},
};

use super::Dispatcher;

/// Tells the operator of every channel that refuses everything. The same parking is told once, also after a crash: what is
/// told is made from the store's own record of it. Returns the channels that have something to send.
pub(super) async fn channels_parked(dispatcher: &Dispatcher) -> Result<Vec<ChannelName>, StoreError> {
    let mut busy = Vec::new();
    for parked in dispatcher.store.parked_channels().await? {
        let known = (parked.channel.clone(), parked.since);
        if told(dispatcher).contains(&known) {
            continue;
        }
        let config = dispatcher.config.borrow().clone();
        let new = notification(dispatcher.store.identity(), &config, &parked);
        let channels = new.channels.clone();
        dispatcher.store.announce(new, dispatcher.clock.now()).await?;
        busy.extend(channels);
        told(dispatcher).insert(known);
    }
    Ok(busy)
}

fn told(dispatcher: &Dispatcher) -> MutexGuard<'_, HashSet<(ChannelName, Timestamp)>> {
    dispatcher.told_parked.lock().unwrap_or_else(PoisonError::into_inner)
}

fn notification(store: &str, config: &Config, parked: &ParkedChannel) -> NewNotification {
    let ParkedChannel { channel, reason, since } = parked;
    let may_hear = |told: &&ChannelName| *told != channel && config.channels.contains_key(*told);
    let channels = config.operator.notify.iter().filter(may_hear).cloned().collect();
    let facts = OperatorFacts {
        summary: format!("Channel `{channel}` refuses what it is sent ({reason}). Its queue is kept."),
        class: "channel-parked".to_owned(),
        hint: Some(format!("mend the receiver or its URL, then run `scorewatch channels unpark {channel}`")),
        channel: Some(channel.to_string()),
        from: Some(*since),
        until: None,
    };
    let at = since.to_string();
    let parts = ["operator.channel", store, channel.as_str(), &at];
    let notification = compose::for_operator(NotificationType::OperatorChannel, &parts, None, facts, *since);
    NewNotification { notification, alert: None, tenant: None, channels }
}
