//! How an SQL store is a [`Routing`](crate::store::Routing).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::Timestamp,
    store::sql::{SqlStore, route},
    store::{Rerouted, Routed, Routes, Routing, StoreError},
};

#[async_trait]
impl Routing for SqlStore {
    async fn routed(&self) -> Result<Routed, StoreError> {
        route::routed(&self.readers).await
    }

    async fn reroute(&self, routes: Routes, now: Timestamp) -> Result<Rerouted, StoreError> {
        self.writer
            .write(Work::Reroute, move |db| Box::pin(async move { route::reroute(db, &routes, now).await }))
            .await
    }
}
