//! How an SQL store is a [`Upkeep`](crate::store::Upkeep).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::{TenantId, Timestamp},
    store::sql::{SqlStore, listing, replica, upkeep},
    store::{Division, Downtime, Heartbeat, ReplicaRecord, StoreError, Upkeep},
};

#[async_trait]
impl Upkeep for SqlStore {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn origin(&self) -> &str {
        self.origin.get()
    }

    async fn check_files(&self) -> Result<(), StoreError> {
        let place = Arc::clone(&self.place);
        // A disk may not answer.
        let checked = tokio::task::spawn_blocking(move || place.check()).await;
        checked.map_err(|_| StoreError::Failed("its files could not be looked at".to_owned()))?
    }

    async fn look_at_standbys(&self) -> Result<Option<bool>, StoreError> {
        self.place.look_at_standbys(&self.readers).await
    }

    fn division(&self) -> Division {
        self.division.clone()
    }

    async fn replicas(&self) -> Result<Vec<ReplicaRecord>, StoreError> {
        replica::list(&self.readers).await
    }

    async fn wake_tenants(&self, tenants: Vec<TenantId>, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(Work::LookAgain, move |db| Box::pin(replica::wake(db, tenants, now))).await
    }

    async fn heartbeat(&self, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(Work::Heartbeat, move |db| Box::pin(upkeep::heartbeat(db, now))).await
    }

    async fn last_heartbeat(&self) -> Result<Option<Heartbeat>, StoreError> {
        upkeep::last_heartbeat(&self.readers).await
    }

    async fn record_downtime(&self, downtime: Downtime) -> Result<(), StoreError> {
        self.writer.write(Work::Downtime, move |db| Box::pin(upkeep::record_downtime(db, downtime))).await
    }

    async fn downtimes(&self) -> Result<Vec<Downtime>, StoreError> {
        listing::downtimes(&self.readers).await
    }

    async fn prune(&self, now: Timestamp, retention: Duration) -> Result<bool, StoreError> {
        // A tenant that one replica's configuration lacks may be in another's.
        let forgets_tenants = self.division.agrees();
        self.writer.write(Work::Prune, move |db| Box::pin(upkeep::prune(db, now, retention, forgets_tenants))).await
    }

    async fn close(&self) {
        self.division.leave();
        self.readers.close().await;
        self.writer.close().await;
    }
}
