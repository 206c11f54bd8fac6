//! How an SQL store is an [`Idempotency`](crate::store::Idempotency).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::{KeyedRequest, Timestamp},
    store::sql::{SqlStore, idempotency},
    store::{Begun, Idempotency, RecordedAnswer, StoreError},
};

#[async_trait]
impl Idempotency for SqlStore {
    async fn begin_request(&self, request: KeyedRequest, now: Timestamp) -> Result<Begun, StoreError> {
        self.writer
            .write(Work::BeginRequest, move |db| Box::pin(async move { idempotency::begin(db, &request, now).await }))
            .await
    }

    async fn end_request(&self, request: KeyedRequest, answer: Option<RecordedAnswer>) -> Result<(), StoreError> {
        self.writer
            .write(Work::EndRequest, move |db| {
                Box::pin(async move { idempotency::end(db, &request, answer.as_ref()).await })
            })
            .await
    }
}
