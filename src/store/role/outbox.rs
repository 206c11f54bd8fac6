//! Notifications on their way: queued, claimed, settled, and what became of those that could not be delivered.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::{
    domain::{ChannelName, TenantId, Timestamp},
    notify::{ChannelHealth, DeliveryId, NotificationId},
    store::{AttemptOutcome, Claim, ClaimTerms, DeadLetters, NewEntry, NewNotification, StoreError},
};

/// Notifications on their way: queued, claimed, settled, and what became of those that could not be delivered.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Writes a notification that no check causes, with its deliveries, to be sent from `now` on. `false`: its id was already
    /// there. A drill covers the drills of its channels that still wait: they are merged into it.
    async fn announce(&self, notification: NewNotification, now: Timestamp) -> Result<bool, StoreError>;

    /// Writes notifications that a person asks for, all together and each as [`announce`](Self::announce) does, to be sent from the entry's
    /// time on. That somebody asked is recorded even if their ids were already there; the channels of those that were not are added to the
    /// entry.
    async fn announce_requested(&self, notifications: Vec<NewNotification>, entry: NewEntry) -> Result<(), StoreError>;

    /// Whether there is a notification of that id.
    async fn knows(&self, notification: &NotificationId) -> Result<bool, StoreError>;

    /// Takes the channel's next delivery that is due: the oldest whose next attempt is due and that no earlier unfinished
    /// delivery of the same alert precedes; a drill only when nothing else is due. Durably records state `sending` and the attempt before it returns. At most one
    /// delivery of a channel is `sending` at a time: until it is settled or recovered, the channel is [`Claim::Idle`].
    ///
    /// By the terms, what waits for the channel may become one: earlier deliveries of the same alert go along with its newest,
    /// and many of them, or what several rules say of one reading, with a digest that is made here, in the same transaction. They are [`crate::notify::DeliveryState::Merged`] and fare as
    /// what carries them. A parked channel sends drills, and by the terms its oldest delivery to see whether it works again. What is held is not taken, nor what waits behind it.
    async fn claim(&self, channel: &ChannelName, terms: ClaimTerms, now: Timestamp) -> Result<Claim, StoreError>;

    /// Records what came of an attempt and how the channel stands after it; and, when the delivery became final, that its alert has
    /// been notified. A parked channel that has delivered something is no longer parked. A message that its receiver rejects is a dead
    /// letter, unless another one was rejected just before it: then the channel is parked, and both wait for it. An attempt that is
    /// not the delivery's present one changes nothing, so settling twice is harmless.
    async fn settle(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        outcome: AttemptOutcome,
        health: Option<ChannelHealth>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes out of a delivery under way what is merged into it and about these tenants (`None`: about none), as its channel may not
    /// show that any more: each is a dead letter. If it is taken apart, the rest waits again, and the delivery itself is never sent.
    async fn suppress(
        &self,
        target: DeliveryId,
        tenants: BTreeSet<Option<TenantId>>,
        is_taken_apart: bool,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// After a start: puts deliveries found in `sending` back to `queued`, marked as possible repeats. Returns how many.
    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Channels that have unfinished deliveries other than held ones.
    async fn busy_channels(&self) -> Result<Vec<ChannelName>, StoreError>;

    /// Queues a delivered, dead, parked, held or suppressed delivery again, with the same notification id; giving up counts from now.
    /// Its state before is added to the entry. `false`: there is no such delivery, or it is queued or under way.
    async fn resend(&self, delivery: DeliveryId, entry: NewEntry) -> Result<bool, StoreError>;

    /// Dead letters of which the operator was not notified, by channel and cause; not those of whose like it was notified after
    /// `since`.
    async fn unnoticed_dead(&self, since: Timestamp) -> Result<Vec<DeadLetters>, StoreError>;

    /// Queues the notification of these dead letters, and notes that they are noticed, together or not at all.
    async fn notice_dead(
        &self,
        letters: DeadLetters,
        notification: NewNotification,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}
