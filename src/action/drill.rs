//! Sends a channel a drill: a marked message that shows whether it works; and takes the word of whoever saw one.

use super::record::must;
use crate::{
    config::Config,
    delivery,
    domain::{Caller, ChannelName, Role, Timestamp},
    notify::NotificationId,
    query::{Error, find},
    store::{Channels, NewEntry, Store, StoreError},
};

/// A drill that is queued.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "QueuedDrill")]
pub struct Queued {
    /// The channel that the drill is for.
    pub channel: ChannelName,
    /// Whether that is parked. If the drill arrives, it goes on.
    pub is_parked: bool,
    /// Whether a person has to press the drill's button to prove that it arrived.
    pub is_proven_by_people: bool,
}

/// Queues a drill for a channel now. The running service sends it within seconds.
///
/// # Errors
/// [`Error::NotFound`] if there is no such channel, or others than the scope's tenants share it; [`Error::Store`].
pub async fn drill(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    name: &str,
    now: Timestamp,
) -> Result<Queued, Error> {
    must(caller, Role::Admin)?;
    let settings = find::channel(config, &caller.scope, name)?;
    let channel = settings.name.clone();
    let message = delivery::drill::message(store.identity(), config, &channel, now, now);
    let entry = NewEntry::by(caller, "channel.drill", Some(format!("channel {channel}")), now);
    store.announce_requested(vec![message], entry).await?;
    let is_parked = store.channels().await?.iter().any(|known| known.channel == channel && known.parked.is_some());
    Ok(Queued { channel, is_parked, is_proven_by_people: config.is_proven_by_people(settings) })
}

/// Records that somebody saw a drill. Returns its channels, which are proven; none: there is no such drill.
///
/// Nobody signs in for that: the id is the permission, and only those who read the channel have it.
///
/// # Errors
/// [`StoreError`]; then nothing is recorded.
pub async fn confirm(
    store: &dyn Channels,
    caller: &Caller,
    drill: &NotificationId,
    now: Timestamp,
) -> Result<Vec<ChannelName>, StoreError> {
    store.confirm(drill, NewEntry::by(caller, "channel.confirm", None, now)).await
}
