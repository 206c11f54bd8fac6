//! Notifications that are queued, and deliveries on their way.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    domain::{ChannelName, TenantId, Timestamp},
    notify::{
        ChannelHealth, DeliveryId, Envelope, Hold, Notification, SilenceId, destination::KnownDestination,
        silence::MatchTarget,
    },
    rule::AlertKey,
};

/// A notification to be queued for channels.
#[derive(Debug, Clone, PartialEq)]
pub struct NewNotification {
    /// What it says. Its id is in it.
    pub notification: Notification,
    /// The alert it is about: orders its deliveries and takes `notified_at`.
    pub alert: Option<AlertKey>,
    /// The tenant that it is about; `None` if it is about several or none.
    pub tenant: Option<TenantId>,
    /// Where it goes; may be empty.
    pub channels: Vec<ChannelName>,
    /// Why its deliveries are held, and until when; `None`: they are queued.
    pub hold: Option<Hold>,
}

/// What is to be said of a new silence, once its number is known.
pub type SilenceNotice = Arc<dyn Fn(SilenceId) -> NewNotification + Send + Sync>;

impl NewNotification {
    /// What the queue knows of it.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        Envelope::new(&self.notification, self.alert.clone(), self.tenant.clone())
    }

    /// What it is about, as silences see it; `None`: about no alert.
    ///
    /// `envelope`: its [own](Self::envelope).
    #[must_use]
    pub fn match_target<'a>(&'a self, envelope: &'a Envelope) -> Option<MatchTarget<'a>> {
        MatchTarget::of(envelope, &self.notification.data.tenant.as_ref()?.labels)
    }
}

/// What a channel has to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// This one; its attempt is recorded.
    Send(Box<ClaimedDelivery>),
    /// Nothing before that time.
    Wait(Timestamp),
    /// Nothing is due, and nothing waits.
    Idle,
    /// The channel is parked.
    Parked,
}

/// A delivery whose next attempt is recorded and may be made.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedDelivery {
    /// The delivery's number in the store.
    pub id: DeliveryId,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// When it was queued; giving up counts from here.
    pub queued_at: Timestamp,
    /// Whether an earlier attempt may have arrived unseen; the notification's own mark is set from it.
    pub possible_duplicate: bool,
    /// Whether the receiver has rejected the rich form.
    pub plain: bool,
    /// Whether its channel is parked, and it shows whether that works again. It is not a drill.
    pub is_probe: bool,
    /// About which tenant; `None` for a digest.
    pub tenant: Option<TenantId>,
    /// About which tenants are the deliveries that are merged into it; `None`: about none.
    pub covers: BTreeSet<Option<TenantId>>,
    /// The message with all its facts.
    pub notification: Notification,
    /// How its channel stood before the attempt.
    pub health: ChannelHealth,
    /// Where its channel leads, as far as that is known.
    pub leads: KnownDestination,
}

/// Dead letters of one channel and cause of which the operator was not notified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetters {
    /// The channel's name in the configuration.
    pub channel: ChannelName,
    /// Why they could not be delivered.
    pub cause: String,
    /// How many messages have died.
    pub count: u64,
    /// The first of them.
    pub first: DeliveryId,
    /// When the first of them was given up.
    pub since: Timestamp,
}
