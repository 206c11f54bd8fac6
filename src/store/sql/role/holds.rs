//! How an SQL store is a [`Holds`](crate::store::Holds).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::Timestamp,
    notify::{
        DeliveryId, HoldReason,
        fleet::Decidable,
        release::{Decision, HeldGroup},
    },
    store::sql::{SqlStore, hold},
    store::{Holds, StoreError},
};

#[async_trait]
impl Holds for SqlStore {
    async fn held_decidable(
        &self,
        now: Timestamp,
        fleet: Decidable,
        at_most: usize,
    ) -> Result<Vec<HeldGroup>, StoreError> {
        hold::due(&self.readers, now, fleet, at_most).await
    }

    async fn release(&self, decided: Vec<Vec<(DeliveryId, Decision)>>, now: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(Work::Release, move |db| Box::pin(async move { hold::release(db, &decided, now).await }))
            .await
    }

    async fn look_again(&self, why: HoldReason, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(Work::LookAgain, move |db| Box::pin(hold::look_again(db, why, now))).await
    }
}
