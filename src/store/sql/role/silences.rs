//! How an SQL store is a [`Silences`](crate::store::Silences).

use async_trait::async_trait;
use serde_json::json;

use crate::{
    crash_point::Work,
    domain::Timestamp,
    notify::{
        Silence, SilenceId,
        silence::{Acknowledgement, NewSilence},
    },
    rule::AlertKey,
    store::sql::{SqlStore, audit, silence},
    store::{Acknowledged, NewEntry, SeenAlert, SilenceNotice, Silences, StoreError},
};

#[async_trait]
impl Silences for SqlStore {
    async fn silences(&self, ends_after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError> {
        silence::list(&self.readers, ends_after).await
    }

    async fn add_silence(
        &self,
        new: NewSilence,
        notice: Option<SilenceNotice>,
        entry: NewEntry,
    ) -> Result<SilenceId, StoreError> {
        let (again, same_notice, same_entry) = (new.clone(), notice.clone(), entry.clone());
        let added = self.writer.write(Work::AddSilence, move |db| {
            Box::pin(async move { silence::add(db, &new, notice.as_ref(), entry).await })
        });
        let added = added.await;
        let Err(unknown @ StoreError::Unknown(_)) = added else { return added };
        let add = self.writer.write(Work::AddSilence, move |db| {
            Box::pin(async move { silence::add_unless_there(db, &again, same_notice.as_ref(), same_entry).await })
        });
        add.await.map_err(|_| unknown)
    }

    async fn end_silence(&self, id: SilenceId, entry: NewEntry) -> Result<bool, StoreError> {
        self.writer
            .write(Work::EndSilence, move |db| {
                Box::pin(async move {
                    let ended = silence::end(db, id, entry.at).await?;
                    audit::note(db, ended, &entry).await
                })
            })
            .await
    }

    async fn acknowledge(&self, alert: &AlertKey, by: Acknowledgement, entry: NewEntry) -> Result<bool, StoreError> {
        let alert = alert.clone();
        self.writer
            .write(Work::Acknowledge, move |db| {
                Box::pin(
                    async move { Ok(silence::acknowledge(db, &alert, &by, &entry).await? != Acknowledged::NotFiring) },
                )
            })
            .await
    }

    async fn acknowledge_all(
        &self,
        alerts: Vec<(SeenAlert, NewEntry)>,
        by: Acknowledgement,
    ) -> Result<Vec<Acknowledged>, StoreError> {
        self.writer
            .write(Work::Acknowledge, move |db| {
                Box::pin(async move {
                    let mut done = Vec::with_capacity(alerts.len());
                    for (seen, entry) in &alerts {
                        done.push(silence::acknowledge_as_seen(db, seen, &by, entry).await?);
                    }
                    Ok(done)
                })
            })
            .await
    }

    async fn unacknowledge(&self, alert: &AlertKey, entry: NewEntry) -> Result<bool, StoreError> {
        let alert = alert.clone();
        self.writer
            .write(Work::Unacknowledge, move |db| {
                Box::pin(async move {
                    let Some(before) = silence::unacknowledge(db, &alert, entry.at).await? else { return Ok(false) };
                    let entry = entry.before(json!({ "by": before.by, "comment": before.comment }));
                    audit::note(db, true, &entry).await
                })
            })
            .await
    }
}
