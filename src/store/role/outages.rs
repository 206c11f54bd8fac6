//! Tenants that can't be read, and the outages that they fail together in.

use async_trait::async_trait;

use crate::{
    domain::Timestamp,
    rule::RuleName,
    store::{FailingTenant, NewNotification, Outage, StoreError},
};

/// Tenants that can't be read, and the outages that they fail together in.
#[async_trait]
pub trait Outages: Send + Sync + 'static {
    /// The tenants whose checks fail, each with its firing alert by that rule.
    async fn failing(&self, rule: &RuleName) -> Result<Vec<FailingTenant>, StoreError>;

    /// The outages that go on, and those that were over at that time or later.
    async fn outages(&self, over_since: Timestamp) -> Result<Vec<Outage>, StoreError>;

    /// Writes the state of an outage and its notifications, together or not at all. A notification whose id is already there is
    /// left alone. On each channel the messages about one outage keep their order.
    async fn record_outage(
        &self,
        outage: Outage,
        notifications: Vec<NewNotification>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}
