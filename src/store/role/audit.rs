//! The audit log, to which entries are only ever added.

use async_trait::async_trait;

use crate::store::{Entry, EntryFilter, Link, NewEntry, StoreError};

/// The audit log, to which entries are only ever added.
#[async_trait]
pub trait Audit: Send + Sync + 'static {
    /// Adds an entry, and links it to the newest one.
    async fn record(&self, entry: NewEntry) -> Result<(), StoreError>;

    /// Entries, newest first.
    async fn entries(&self, filter: &EntryFilter) -> Result<Vec<Entry>, StoreError>;

    /// At most `limit` links of the chain, oldest first, that follow the entry of that number.
    async fn links(&self, after: u64, limit: u32) -> Result<Vec<Link>, StoreError>;
}
