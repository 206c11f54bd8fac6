//! What must not be lost: samples, alert states, notifications and deliveries. SQL stands nowhere else.
//!
//! A check's outcome is committed whole or not at all ([`Checks::commit`]); a notification exists before anybody tries to send
//! it; an attempt is recorded before it is made ([`Outbox::claim`]). Callers may drop the futures: work once begun is finished.

pub mod copy;
mod division;
mod inspection;
pub mod postgres;
pub mod record;
mod role;
mod sql;
pub mod sqlite;

pub use division::{Division, SHARDS, Shard, Tenure};
pub use inspection::Inspection;
pub use record::*;
pub use role::*;

pub use crate::notify::fleet::KnownShift;
use crate::rule::AlertKey;

/// Why the store could not do it. Nothing was half done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has the store.
    #[error("the store is in use by another scorewatch process{0}")]
    InUse(String),
    /// The store can't be opened, or is not one of ours, or was made by a newer version.
    #[error("the store can't be opened: {0}")]
    Open(String),
    /// The disk is full.
    #[error("the store's disk is full")]
    Full,
    /// A file of the store is not where it was.
    #[error("the store {0}")]
    Gone(&'static str),
    /// A row that we can't read.
    #[error("a row of the store can't be read: {0}")]
    Undecodable(String),
    /// The connection was lost while the database stored it.
    #[error("the connection to the database was lost while it stored this, so it may or may not be stored: {0}")]
    Unknown(String),
    /// It can't be done with what is there: a file that exists already, a store that is not empty.
    #[error("{0}")]
    Refused(String),
    /// Anything else that the database says.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// A durable store: all of its roles. One conformance suite holds every implementation to the text of their traits.
pub trait Store:
    Checks
    + Roster
    + Outbox
    + Holds
    + Silences
    + Channels
    + Routing
    + Fleet
    + Outages
    + Listings
    + Overview
    + Upkeep
    + Idempotency
    + Access
    + Audit
{
}

impl<T> Store for T where
    T: Checks
        + Roster
        + Outbox
        + Holds
        + Silences
        + Channels
        + Routing
        + Fleet
        + Outages
        + Listings
        + Overview
        + Upkeep
        + Idempotency
        + Access
        + Audit
{
}

/// Reads alerts one by one: [`Listings::alerts`] narrowed to one key.
///
/// # Errors
/// As [`Listings::alerts`].
pub async fn find_alert(store: &dyn Listings, key: &AlertKey) -> Result<Option<AlertRow>, StoreError> {
    let filter =
        AlertFilter { tenant: Some(key.tenant.clone()), rule: Some(key.rule.clone()), ..AlertFilter::default() };
    Ok(store.alerts(&filter).await?.into_iter().find(|row| row.key == *key))
}
