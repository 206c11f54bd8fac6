//! Who is notified, when a configuration takes effect.

use async_trait::async_trait;

use crate::{
    domain::Timestamp,
    store::{Rerouted, Routed, Routes, StoreError},
};

/// Who is notified, when a configuration takes effect.
#[async_trait]
pub trait Routing: Send + Sync + 'static {
    /// What may be on another route by a changed configuration.
    async fn routed(&self) -> Result<Routed, StoreError>;

    /// Puts the routes of the configuration in force into effect, all together: what is new to a firing alert's route is notified of
    /// the alert, in one digest for each channel; what waits for a channel that has left goes to the new ones, or is a dead letter;
    /// what is known of channels that are gone is forgotten. Doing it again changes nothing.
    async fn reroute(&self, routes: Routes, now: Timestamp) -> Result<Rerouted, StoreError>;
}
