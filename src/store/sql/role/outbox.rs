//! How an SQL store is a [`Outbox`](crate::store::Outbox).

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;

use crate::{
    crash_point::Work,
    domain::{ChannelName, TenantId, Timestamp},
    notify::{ChannelHealth, DeliveryId, NotificationId},
    store::sql::{SqlStore, audit, claim, dead, listing, merge, outbox, outbox::Prepared, read},
    store::{AttemptOutcome, Claim, ClaimTerms, DeadLetters, NewEntry, NewNotification, Outbox, StoreError},
};

#[async_trait]
impl Outbox for SqlStore {
    async fn announce(&self, notification: NewNotification, now: Timestamp) -> Result<bool, StoreError> {
        let new = Prepared::new(&notification, now)?;
        self.writer.write(Work::Announce, move |db| Box::pin(async move { outbox::announce(db, &new).await })).await
    }

    async fn announce_requested(&self, notifications: Vec<NewNotification>, entry: NewEntry) -> Result<(), StoreError> {
        let prepared = notifications.iter().map(|new| Prepared::new(new, entry.at));
        let all: Vec<Prepared> = prepared.collect::<Result<_, _>>()?;
        self.writer
            .write(Work::Announce, move |db| {
                Box::pin(async move {
                    let mut channels = BTreeSet::new();
                    for one in &all {
                        if outbox::announce(db, one).await? {
                            channels.extend(one.channels().iter().map(ToString::to_string));
                        }
                    }
                    let channels: Vec<String> = channels.into_iter().collect();
                    audit::add(db, &entry.and_after("channels", channels), &[]).await
                })
            })
            .await
    }

    async fn knows(&self, notification: &NotificationId) -> Result<bool, StoreError> {
        read::knows(&self.readers, notification).await
    }

    async fn claim(&self, channel: &ChannelName, terms: ClaimTerms, now: Timestamp) -> Result<Claim, StoreError> {
        let (name, origin) = (channel.clone(), self.origin.get());
        let is_unknown = self.unknown_claims().remove(channel);
        let claimed = self.writer.write(Work::Claim, move |db| {
            Box::pin(async move {
                if is_unknown {
                    claim::undo(db, &name).await?;
                }
                claim::claim(db, origin, name, terms, now).await
            })
        });
        let claim = claimed.await;
        if matches!(claim, Err(StoreError::Unknown(_))) || (is_unknown && claim.is_err()) {
            self.unknown_claims().insert(channel.clone());
        }
        let claim = claim?;
        if let Claim::Send(delivery) = &claim {
            self.place.attempting(delivery.id);
        }
        Ok(claim)
    }

    async fn settle(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        outcome: AttemptOutcome,
        health: Option<ChannelHealth>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(settling(&outcome), move |db| Box::pin(outbox::settle(db, delivery, attempt, outcome, health, now)))
            .await
    }

    async fn suppress(
        &self,
        target: DeliveryId,
        tenants: BTreeSet<Option<TenantId>>,
        is_taken_apart: bool,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let error = error.to_owned();
        self.writer
            .write(Work::Reroute, move |db| {
                Box::pin(async move { merge::suppress(db, target, &tenants, is_taken_apart, &error, now).await })
            })
            .await
    }

    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writer.write(Work::Recover, move |db| Box::pin(outbox::recover(db, now))).await
    }

    async fn busy_channels(&self) -> Result<Vec<ChannelName>, StoreError> {
        listing::busy_channels(&self.readers).await
    }

    async fn resend(&self, delivery: DeliveryId, entry: NewEntry) -> Result<bool, StoreError> {
        self.writer
            .write(Work::Resend, move |db| {
                Box::pin(async move {
                    let Some(before) = outbox::resend(db, delivery, entry.at).await? else { return Ok(false) };
                    audit::note(db, true, &entry.before(json!({ "state": before.as_str() }))).await
                })
            })
            .await
    }

    async fn unnoticed_dead(&self, since: Timestamp) -> Result<Vec<DeadLetters>, StoreError> {
        dead::unnoticed(&self.readers, since).await
    }

    async fn notice_dead(
        &self,
        letters: DeadLetters,
        notification: NewNotification,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let new = Prepared::new(&notification, now)?;
        self.writer
            .write(Work::Announce, move |db| Box::pin(async move { dead::notice(db, &letters, &new, now).await }))
            .await
    }
}

/// What settling an attempt that way is to the writer.
const fn settling(outcome: &AttemptOutcome) -> Work {
    match outcome {
        AttemptOutcome::Delivered => Work::SettleDelivered,
        AttemptOutcome::Retry { .. } => Work::SettleRetry,
        AttemptOutcome::Plainer { .. } => Work::SettlePlainer,
        AttemptOutcome::Dead { .. } | AttemptOutcome::Rejected { .. } => Work::SettleDead,
        AttemptOutcome::Parked { .. } | AttemptOutcome::StillParked { .. } => Work::SettleParked,
        AttemptOutcome::NotMade => Work::UndoClaim,
    }
}
