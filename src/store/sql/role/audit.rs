//! How an SQL store is an [`Audit`](crate::store::Audit).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    store::sql::{SqlStore, audit, guards},
    store::{Audit, Entry, EntryFilter, Link, NewEntry, StoreError},
};

#[async_trait]
impl Audit for SqlStore {
    async fn record(&self, entry: NewEntry) -> Result<(), StoreError> {
        let again = entry.clone();
        let written =
            self.writer.write(Work::Audit, move |db| Box::pin(async move { audit::add(db, &entry, &[]).await })).await;
        let Err(unknown @ StoreError::Unknown(_)) = written else { return written };
        let add = self
            .writer
            .write(Work::Audit, move |db| Box::pin(async move { audit::add_unless_there(db, &again).await }));
        add.await.map_err(|_| unknown)
    }

    async fn entries(&self, filter: &EntryFilter) -> Result<Vec<Entry>, StoreError> {
        audit::list(&self.readers, filter).await
    }

    async fn links(&self, after: u64, limit: u32) -> Result<Vec<Link>, StoreError> {
        audit::links(&self.readers, after, limit).await
    }

    async fn missing_guards(&self) -> Result<Vec<String>, StoreError> {
        guards::missing_in(&self.readers).await
    }
}
