//! Queues a drill: a marked message that shows whether a channel works.

use crate::{
    config::Config,
    domain::{ChannelName, Timestamp},
    notify::drill,
    store::{NewNotification, Store, StoreError},
};

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
    let id = drill::id(store.identity(), channel, due_at);
    let confirm = config.confirm_url(&id);
    let notification = drill::message(id, confirm, at);
    let channels = vec![channel.clone()];
    store.announce(NewNotification { notification, alert: None, tenant: None, hold: None, channels }, at).await
}
