//! The audit log, to which entries are only ever added.
//!
//! Whatever somebody does to the store is one transaction with its entry: the call that does it takes the entry, as all of
//! [`Access`](crate::store::Access) does. What changes nothing is not recorded. [`Audit::record`] is for what is not done in the store.

use async_trait::async_trait;

use crate::store::{Entry, EntryFilter, Link, NewEntry, StoreError};

/// The audit log, to which entries are only ever added.
#[async_trait]
pub trait Audit: Send + Sync + 'static {
    /// Adds an entry, and links it to the newest one.
    async fn record(&self, entry: NewEntry) -> Result<(), StoreError>;

    /// The entries that a filter selects, newest first.
    async fn entries(&self, filter: &EntryFilter) -> Result<Vec<Entry>, StoreError>;

    /// At most `limit` links of the chain, oldest first, that follow the entry of that number.
    async fn links(&self, after: u64, limit: u32) -> Result<Vec<Link>, StoreError>;

    /// The names of the triggers by which the database refuses to change entries, as far as they are missing or are not as they were made.
    async fn missing_guards(&self) -> Result<Vec<String>, StoreError>;
}
