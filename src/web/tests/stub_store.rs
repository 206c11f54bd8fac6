//! A store that answers with counts only, or with an error.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::{
    domain::{ChannelName, Timestamp},
    notify::{Delivery, DeliveryId, Notification, NotificationId, NotificationType},
    store::{
        AlertFilter, AlertRow, ChannelIdentity, ChannelRecord, Channels, DeliveryDetail, DeliveryFilter, Listings,
        NewEntry, StoreError, Totals,
    },
};

pub(super) struct StubStore(pub(super) Option<Totals>);

fn no<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("only counts here".to_owned()))
}

#[async_trait]
impl Listings for StubStore {
    async fn alerts(&self, _filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError> {
        no()
    }

    async fn deliveries(&self, _filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        no()
    }

    async fn delivery(&self, _id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        no()
    }

    async fn recent(&self, _kind: NotificationType, _at_most: u32) -> Result<Vec<Notification>, StoreError> {
        no()
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.0.clone().map_or_else(no, Ok)
    }
}

#[async_trait]
impl Channels for StubStore {
    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        self.0.as_ref().map_or_else(no, |_| Ok(Vec::new()))
    }

    async fn note_channels(&self, _identities: Vec<ChannelIdentity>, _now: Timestamp) -> Result<(), StoreError> {
        no()
    }

    async fn onboard_channels(&self, _channels: BTreeSet<ChannelName>, _now: Timestamp) -> Result<(), StoreError> {
        no()
    }

    async fn drilled(&self, _drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError> {
        no()
    }

    async fn confirm(&self, _drill: &NotificationId, _entry: NewEntry) -> Result<Vec<ChannelName>, StoreError> {
        no()
    }

    async fn unpark(&self, _channel: &ChannelName, _entry: NewEntry) -> Result<bool, StoreError> {
        no()
    }
}
