//! How an SQL store is a [`Listings`](crate::store::Listings).

use async_trait::async_trait;

use crate::{
    notify::{Delivery, DeliveryId, Notification, NotificationType},
    store::sql::{SqlStore, listing, read},
    store::{AlertFilter, AlertRow, DeliveryDetail, DeliveryFilter, Listings, StoreError, Totals},
};

#[async_trait]
impl Listings for SqlStore {
    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError> {
        read::alerts(&self.readers, filter).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        listing::deliveries(&self.readers, filter).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        listing::delivery(&self.readers, id).await
    }

    async fn recent(&self, kind: NotificationType, at_most: u32) -> Result<Vec<Notification>, StoreError> {
        listing::recent(&self.readers, kind, at_most).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        listing::totals(&self.readers).await
    }
}
