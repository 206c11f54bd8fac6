//! How an SQL store is a [`Silences`](crate::store::Silences).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::Timestamp,
    notify::{
        Silence, SilenceId,
        silence::{Acknowledgement, NewSilence},
    },
    rule::AlertKey,
    store::sql::{SqlStore, silence},
    store::{Silences, StoreError},
};

#[async_trait]
impl Silences for SqlStore {
    async fn silences(&self, ends_after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError> {
        silence::list(&self.readers, ends_after).await
    }

    async fn add_silence(&self, new: NewSilence) -> Result<SilenceId, StoreError> {
        let again = new.clone();
        let added =
            self.writer.write(Work::AddSilence, move |db| Box::pin(async move { silence::add(db, &new).await })).await;
        let Err(unknown @ StoreError::Unknown(_)) = added else { return added };
        let add = self
            .writer
            .write(Work::AddSilence, move |db| Box::pin(async move { silence::add_unless_there(db, &again).await }));
        add.await.map_err(|_| unknown)
    }

    async fn end_silence(&self, id: SilenceId, now: Timestamp) -> Result<bool, StoreError> {
        self.writer.write(Work::EndSilence, move |db| Box::pin(silence::end(db, id, now))).await
    }

    async fn acknowledge(&self, alert: &AlertKey, by: Acknowledgement) -> Result<bool, StoreError> {
        let alert = alert.clone();
        self.writer
            .write(Work::Acknowledge, move |db| Box::pin(async move { silence::acknowledge(db, &alert, &by).await }))
            .await
    }

    async fn unacknowledge(&self, alert: &AlertKey, now: Timestamp) -> Result<bool, StoreError> {
        let alert = alert.clone();
        self.writer
            .write(Work::Unacknowledge, move |db| {
                Box::pin(async move { silence::unacknowledge(db, &alert, now).await })
            })
            .await
    }
}
