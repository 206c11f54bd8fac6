//! How channels stand, and whether their messages arrive.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::{
    domain::{ChannelName, Timestamp},
    notify::NotificationId,
    store::{ChannelIdentity, ChannelRecord, NewEntry, StoreError},
};

/// How channels stand, and whether their messages arrive.
#[async_trait]
pub trait Channels: Send + Sync + 'static {
    /// Every channel that anything is known of, by name.
    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError>;

    /// Notes where channels lead. One that leads elsewhere than before is as good as new: it is no longer parked and tried immediately, it
    /// is unproven, and was notified of no alert of which nothing waits for it; where it led before is kept. One that only has other secrets is
    /// tried immediately.
    async fn note_channels(&self, identities: Vec<ChannelIdentity>, now: Timestamp) -> Result<(), StoreError>;

    /// Lets the time until the first drill of these channels begin, unless it has.
    async fn onboard_channels(&self, channels: BTreeSet<ChannelName>, now: Timestamp) -> Result<(), StoreError>;

    /// The channels that a drill is for; none: there is no such drill.
    async fn drilled(&self, drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError>;

    /// Records that a person saw a drill: its channel is proven, as of when the drill was delivered as far as that is known, or else
    /// of the entry's time. Returns the channel; none: there is no such drill. The entry gets the channel, unless it was proven already.
    async fn confirm(&self, drill: &NotificationId, entry: NewEntry) -> Result<Vec<ChannelName>, StoreError>;

    /// Lets a parked channel's queue go on; giving up counts from now. Since when and why it was parked is added to the entry.
    /// `false`: it is not parked.
    async fn unpark(&self, channel: &ChannelName, entry: NewEntry) -> Result<bool, StoreError>;
}
