//! What the operator must hear about channels: through another channel than the one that fails.

use crate::{
    config::Config,
    domain::{ChannelName, Timestamp},
    notify::{NotificationType, compose, notification::OperatorFacts},
    store::{NewNotification, StoreError},
};

use super::Dispatcher;

/// Tells the operator that a channel refuses everything. The same parking is told once.
pub(super) async fn channel_parked(
    dispatcher: &Dispatcher,
    config: &Config,
    channel: &ChannelName,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let others: Vec<ChannelName> = config
        .operator
        .notify
        .iter()
        .filter(|told| *told != channel && config.channels.contains_key(*told))
        .cloned()
        .collect();
    let facts = OperatorFacts {
        summary: format!("Channel `{channel}` refuses what it is sent ({reason}). Its queue is kept."),
        class: "channel-parked".to_owned(),
        hint: Some(format!("mend the receiver or its URL, then run `scorewatch channels unpark {channel}`")),
        channel: Some(channel.to_string()),
        from: Some(now),
        until: None,
    };
    let at = now.to_string();
    let parts = ["operator.channel", dispatcher.store.identity(), channel.as_str(), &at];
    let notification = compose::for_operator(NotificationType::OperatorChannel, &parts, None, facts, now);
    let new = NewNotification { notification, alert: None, tenant: None, channels: others.clone() };
    dispatcher.store.announce(new, now).await?;
    others.iter().for_each(|other| dispatcher.wake(other));
    Ok(())
}
