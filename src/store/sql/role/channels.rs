//! How an SQL store is a [`Channels`](crate::store::Channels).

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;

use crate::{
    crash_point::Work,
    domain::{ChannelName, Timestamp},
    notify::NotificationId,
    store::sql::{SqlStore, audit, channel, route},
    store::{ChannelIdentity, ChannelRecord, Channels, NewEntry, StoreError},
};

#[async_trait]
impl Channels for SqlStore {
    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        channel::records(&self.readers).await
    }

    async fn note_channels(&self, identities: Vec<ChannelIdentity>, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(Work::NoteChannels, move |db| {
                Box::pin(async move { route::note_channels(db, &identities, now).await })
            })
            .await
    }

    async fn onboard_channels(&self, channels: BTreeSet<ChannelName>, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(Work::OnboardChannels, move |db| Box::pin(async move { channel::onboard(db, &channels, now).await }))
            .await
    }

    async fn drilled(&self, drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError> {
        channel::drilled(&self.readers, drill).await
    }

    async fn confirm(&self, drill: &NotificationId, entry: NewEntry) -> Result<Vec<ChannelName>, StoreError> {
        let drill = drill.clone();
        self.writer
            .write(Work::ConfirmDrill, move |db| Box::pin(async move { channel::confirm(db, &drill, &entry).await }))
            .await
    }

    async fn unpark(&self, channel: &ChannelName, entry: NewEntry) -> Result<bool, StoreError> {
        let channel = channel.clone();
        self.writer
            .write(Work::Unpark, move |db| {
                Box::pin(async move {
                    let Some(before) = channel::unpark(db, channel.as_str(), entry.at).await? else { return Ok(false) };
                    let entry = entry.before(json!({ "parked_since": before.since, "reason": before.reason }));
                    audit::note(db, true, &entry).await
                })
            })
            .await
    }
}
