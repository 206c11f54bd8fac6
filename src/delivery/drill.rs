//! Queues a drill: a marked message that shows whether a channel works.

use crate::{
    config::Config,
    domain::{ChannelName, Timestamp},
    notify::drill,
    store::{NewNotification, Store, StoreError},
};

/// The drill of a channel that was due at `due_at`, as of `at`.
#[must_use]
pub fn message(
    identity: &str,
    config: &Config,
    channel: &ChannelName,
    due_at: Timestamp,
    at: Timestamp,
) -> NewNotification {
    let id = drill::id(identity, channel, due_at);
    let notification = drill::message(id.clone(), config.confirm_url(&id), at);
    NewNotification { notification, alert: None, tenant: None, hold: None, channels: vec![channel.clone()] }
}

/// Queues the drill that was due at `due_at`, to be sent at `at`. `false`: it was queued before.
///
/// # Errors
/// [`StoreError`].
pub async fn queue(
    store: &dyn Store,
    config: &Config,
    channel: &ChannelName,
    due_at: Timestamp,
    at: Timestamp,
) -> Result<bool, StoreError> {
    store.announce(message(store.identity(), config, channel, due_at, at), at).await
}
