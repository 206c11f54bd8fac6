//! The store itself: which one it is, whether it lives, and what it forgets.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    domain::{TenantId, Timestamp},
    store::{Division, Downtime, Heartbeat, ReplicaRecord, StoreError},
};

/// The store itself: which one it is, whether it lives, and what it forgets.
#[async_trait]
pub trait Upkeep: Send + Sync + 'static {
    /// The id drawn when the store was made; part of the ids of alerts.
    fn identity(&self) -> &str;

    /// What the ids of notifications are made of: the identity and, after a restore from a backup, the generation that was drawn
    /// then, so that no event gets the id of one that was lost.
    fn origin(&self) -> &str;

    /// Whether what is written still goes where it was when the store was opened. [`StoreError::Gone`] if a file was deleted, moved
    /// or replaced.
    async fn check_files(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Looks whether a standby of the database may lack what was confirmed, so that a failover may lose it. `Some`: the answer has
    /// changed since the last look, and was logged.
    async fn look_at_standbys(&self) -> Result<Option<bool>, StoreError> {
        Ok(None)
    }

    /// Which part of the fleet this process works on.
    fn division(&self) -> Division {
        Division::whole()
    }

    /// The services that share the store, oldest first; none where only one process may have it.
    async fn replicas(&self) -> Result<Vec<ReplicaRecord>, StoreError> {
        Ok(Vec::new())
    }

    /// Lets whoever owns these tenants look at their alerts, as [`Checks::rechecks_requested`](crate::store::Checks::rechecks_requested)
    /// says: something that happened here may matter to them. A check that is written meanwhile clears it.
    async fn wake_tenants(&self, _tenants: Vec<TenantId>, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    /// Records that the service lives; also proves that the store can be written.
    async fn heartbeat(&self, now: Timestamp) -> Result<(), StoreError>;

    /// The newest of these signs.
    async fn last_heartbeat(&self) -> Result<Option<Heartbeat>, StoreError>;

    /// Records that the service was down; periods are kept as long as samples.
    async fn record_downtime(&self, downtime: Downtime) -> Result<(), StoreError>;

    /// The periods in which the service was down, oldest first.
    async fn downtimes(&self) -> Result<Vec<Downtime>, StoreError>;

    /// Removes everything of tenants that have been missing from the configuration for longer than `retention`, and of series that
    /// got nothing for so long while their tenants were read; while replicas run different configurations, no tenants. Removes samples,
    /// downtimes, past silences, fleet shifts and finished deliveries older than `retention`, a bounded number of rows a call; `true`:
    /// there is more.
    async fn prune(&self, now: Timestamp, retention: Duration) -> Result<bool, StoreError>;

    /// Finishes what is under way and closes.
    async fn close(&self);
}
