//! What is asked about alerts and deliveries, and counts of everything.

use async_trait::async_trait;

use crate::{
    notify::{Delivery, DeliveryId, Notification, NotificationType},
    store::{AlertFilter, AlertRow, DeliveryDetail, DeliveryFilter, StoreError, Totals},
};

/// What is asked about alerts and deliveries, and counts of everything.
#[async_trait]
pub trait Listings: Send + Sync + 'static {
    /// Alerts that match, newest change first.
    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError>;

    /// Deliveries that match, newest first.
    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError>;

    /// One delivery with its notification and attempts.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError>;

    /// The newest notifications of that type, sent or not, newest first; retention may have removed some.
    async fn recent(&self, kind: NotificationType, at_most: u32) -> Result<Vec<Notification>, StoreError>;

    /// Counts for metrics and listings.
    async fn totals(&self) -> Result<Totals, StoreError>;
}
