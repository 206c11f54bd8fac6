//! What goes into the store and comes out of it.
//!
//! Long because it is one list of plain records, each told in a few lines.

mod blindness;
mod fleet;
mod route;
mod tenant;

use std::{collections::BTreeSet, time::Duration};

pub use blindness::{Blind, FailingTenant, Outage};
pub use fleet::{Owed, SeriesShift, ShiftMember, ShiftNotice};
pub use route::{ChannelIdentity, Reroute, Rerouted, Routed, RoutedAlert, Routes};
use serde::{Deserialize, Serialize};
pub use tenant::{Configured, KnownTenant, Reconciled, TenantIdentity};

use crate::{
    domain::{ChannelName, RecommendationSnapshot, Sample, ScoreKind, Subject, TenantId, Timestamp},
    notify::{
        ChannelStanding, Delivery, DeliveryId, DeliveryState, Envelope, Hold, Notification,
        digest::LINES_MAX,
        drill::Proof,
        fleet::Movement,
        silence::{About, Acknowledgement},
        standing::FailedPeriod,
    },
    rule::{Alert, AlertKey, RuleName},
};

/// When a tenant is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Who.
    pub tenant: TenantId,
    /// When its next check is due.
    pub next_due_at: Timestamp,
    /// When its alerts must be looked at again though no check is due: reminders, silence, expiry.
    pub wake_at: Option<Timestamp>,
}

/// What is known of a tenant when a check begins.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantRecord {
    /// Its slug.
    pub tenant: TenantId,
    /// Who it is, whatever its slug.
    pub identity: TenantIdentity,
    /// Grows with every commit of this tenant.
    pub version: u64,
    /// How its checks fare.
    pub health: TenantHealth,
    /// Its series.
    pub series: Vec<SeriesRecord>,
    /// Its alerts that are not blank.
    pub alerts: Vec<AlertRecord>,
    /// What fleet shifts did to its series, oldest first.
    pub shifted: Vec<SeriesShift>,
}

/// How a tenant's checks fare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantHealth {
    /// When it was first seen.
    pub adopted_at: Timestamp,
    /// When its next check is due.
    pub next_due_at: Timestamp,
    /// When its alerts must be looked at again though no check is due.
    pub wake_at: Option<Timestamp>,
    /// When it was last checked, whatever came of it.
    pub checked_at: Option<Timestamp>,
    /// Since when its checks fail, and how; `None`: the last one succeeded.
    pub failing: Option<Failing>,
    /// The scores whose checks have been failing, each with its own cause.
    pub failures: Vec<ScoreFailure>,
    /// When it was configured again after it had been removed; `None`: it never was. The time before is no gap in its data.
    pub watched_since: Option<Timestamp>,
}

/// The checks of one score fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreFailure {
    /// Which score.
    pub score: ScoreKind,
    /// Since when, and how.
    #[serde(flatten)]
    pub failing: Failing,
}

/// A tenant's checks fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The first failed check since the last good one.
    pub since: Timestamp,
    /// The newest failure's class, as its text form.
    pub class: String,
    /// What the operator can do.
    pub hint: Option<String>,
}

/// A series of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesRecord {
    /// What is measured.
    pub score: ScoreKind,
    /// Which of several values.
    pub subject: Option<Subject>,
    /// The wall time of the newest successful reading.
    pub last_data_at: Timestamp,
    /// The newest samples, oldest first.
    pub window: Vec<Sample>,
    /// How far back from its end the window reaches for certain; the store's archive has what is older.
    pub keep: Duration,
    /// The source time of the newest record at onboarding: samples from before were imported. `None`: none were.
    pub onboarded_at: Option<Timestamp>,
}

/// An alert as the store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRecord {
    /// By which rule.
    pub rule: RuleName,
    /// Of which score; `None`: of the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// Its state.
    pub alert: Alert,
    /// When its newest notification came to rest on some channel; `None` while it is still on its way everywhere.
    pub told_at: Option<Timestamp>,
    /// The channels that notifications of this generation were queued for.
    pub told_to: Vec<ChannelName>,
    /// Whether a person has seen it: no reminder is made meanwhile.
    pub acknowledged: Option<Acknowledgement>,
    /// The fleet shift whose notice covered it last.
    pub shift: Option<String>,
    /// What is still to be done about it.
    pub owes: Option<Owed>,
}

/// What a check made of a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckOutcome {
    /// Its slug.
    pub tenant: TenantId,
    /// Who it is: as it was loaded, or [`TenantIdentity::new`] of a tenant that was not known.
    pub identity: TenantIdentity,
    /// The version that the check began with; `None`: the tenant was not known.
    pub expected_version: Option<u64>,
    /// How its checks fare now.
    pub health: TenantHealth,
    /// Series that got a reading.
    pub series: Vec<SeriesUpdate>,
    /// Alerts that changed. A blank one is deleted.
    pub alerts: Vec<AlertUpdate>,
    /// What there is to tell.
    pub notifications: Vec<NewNotification>,
    /// Readings that differ from the one before by more than usual.
    pub movements: Vec<Movement>,
    /// What is remembered of recommendations from now on; each replaces the one for its score.
    pub recommendations: Vec<RecommendationSnapshot>,
    /// The wall time of the check.
    pub now: Timestamp,
}

/// New samples of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesUpdate {
    /// What is measured.
    pub score: ScoreKind,
    /// Which of several values.
    pub subject: Option<Subject>,
    /// The window as loaded, whole, with the new samples at its end, each later than all before.
    pub window: Vec<Sample>,
    /// How far back from its end the window must still reach at the next check; [`Self::GONE`]: its subject is gone, and the series
    /// is not loaded again until it is written again. Its history stays as long as retention says.
    pub keep: Duration,
    /// See [`SeriesRecord::onboarded_at`].
    pub onboarded_at: Option<Timestamp>,
    /// When its data was last read, by the wall clock.
    pub last_data_at: Timestamp,
}

impl SeriesUpdate {
    /// Of a subject that is gone.
    pub const GONE: Duration = Duration::ZERO;
}

/// An alert that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertUpdate {
    /// By which rule.
    pub rule: RuleName,
    /// Of which score; `None`: of the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// Its new state.
    pub alert: Alert,
    /// What it takes over from alerts that it replaces; `None`: nothing.
    pub inherits: Option<Inherited>,
}

/// What an alert takes over from those that it replaces: who was notified, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inherited {
    /// The channels that were notified.
    pub told_to: Vec<ChannelName>,
    /// When the newest notification was settled; `None`: it is still on its way.
    pub told_at: Option<Timestamp>,
    /// The replaced alert whose newest notification stays the newest one.
    pub from: (Option<ScoreKind>, Option<Subject>),
}

/// A notification to be queued for channels.
#[derive(Debug, Clone, PartialEq)]
pub struct NewNotification {
    /// What it says. Its id is in it.
    pub notification: Notification,
    /// The alert it is about: orders its deliveries and takes `told_at`.
    pub alert: Option<AlertKey>,
    /// About which tenant.
    pub tenant: Option<TenantId>,
    /// Where it goes; may be empty.
    pub channels: Vec<ChannelName>,
    /// Why its deliveries are held, and until when; `None`: they are queued.
    pub hold: Option<Hold>,
}

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
    pub fn about<'a>(&'a self, envelope: &'a Envelope) -> Option<About<'a>> {
        About::of(envelope, &self.notification.data.tenant.as_ref()?.labels)
    }
}

/// What came of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// It is durable.
    Done,
    /// Somebody else changed the tenant meanwhile; load again and judge again.
    Conflict,
}

/// What a channel has to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// This one; its attempt is recorded.
    Send(Box<ClaimedDelivery>),
    /// Nothing before that time.
    Wait(Timestamp),
    /// Nothing at all.
    Idle,
    /// The channel is parked.
    Parked,
}

/// A delivery whose next attempt is recorded and may be made.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedDelivery {
    /// Its number.
    pub id: DeliveryId,
    /// Counts from one.
    pub attempt: u32,
    /// When it was queued; giving up counts from here.
    pub queued_at: Timestamp,
    /// Whether an earlier attempt may have arrived unseen; the notification's own mark is set from it.
    pub possible_duplicate: bool,
    /// Whether the receiver has rejected the rich form.
    pub plain: bool,
    /// Whether its channel is parked, and it shows whether that works again. It is no drill.
    pub is_probe: bool,
    /// About which tenant; `None` for a digest.
    pub tenant: Option<TenantId>,
    /// About which tenants are the deliveries that are merged into it; `None`: about none.
    pub covers: BTreeSet<Option<TenantId>>,
    /// What it says.
    pub notification: Notification,
    /// How its channel stood before the attempt.
    pub standing: ChannelStanding,
}

/// On which terms a channel takes its next delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimTerms {
    /// What waits may go along with other deliveries: always with a newer one of the same alert, and as a digest if more than
    /// this many wait. `None`: the receiver keeps state of its own and must be told each step.
    pub merge_over: Option<usize>,
    /// Most lines of a digest.
    pub digest_lines: usize,
    /// No retry is made before.
    pub retries_from: Timestamp,
    /// No wait is longer. What would have to wait longer is due: the clock was set back.
    pub longest_rest: Duration,
    /// How long after it was parked, or last tried, a parked channel is tried with its oldest delivery.
    pub probe_after: Duration,
}

impl Default for ClaimTerms {
    /// Nothing is merged, nothing held back, and a parked channel is not tried.
    fn default() -> Self {
        let never = Duration::from_hours(24 * 365 * 100);
        Self {
            merge_over: None,
            digest_lines: LINES_MAX,
            retries_from: Timestamp::EPOCH,
            longest_rest: never,
            probe_after: never,
        }
    }
}

/// What came of an attempt. Texts hold neither URL nor secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver took it.
    Delivered,
    /// Try again then.
    Retry {
        /// Why.
        error: String,
        /// When.
        next_attempt_at: Timestamp,
        /// Whether this attempt may have arrived although nobody said so: the next one is marked.
        may_have_arrived: bool,
    },
    /// The receiver rejects the rich form: say it once more, at once, as plain text.
    Plainer {
        /// Why.
        error: String,
    },
    /// The receiver rejects what it is sent. The first message in a row is a dead letter; the second one parks the channel, with both.
    Rejected {
        /// Why.
        error: String,
    },
    /// A dead letter.
    Dead {
        /// Why.
        error: String,
    },
    /// The channel rejects everything: it is parked, and the delivery with it.
    Parked {
        /// Why.
        error: String,
    },
    /// The channel was parked and still does not work; the delivery is kept.
    StillParked {
        /// Why.
        error: String,
        /// Whether this attempt may have arrived although nobody said so: the next one is marked.
        may_have_arrived: bool,
    },
    /// The attempt was not made after all (shutdown, gone channel): as if it had never been claimed.
    NotMade,
}

/// Which alerts. Every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Of that tenant.
    pub tenant: Option<TenantId>,
    /// By that rule.
    pub rule: Option<RuleName>,
    /// Pending and firing ones only.
    pub open_only: bool,
    /// Firing ones only.
    pub firing_only: bool,
    /// Those that the notice of this fleet shift covered last.
    pub shift: Option<String>,
    /// Those about which this is still to be done.
    pub owes: Option<Owed>,
    /// Of one of these tenants; `None`: of any.
    pub tenants: Option<BTreeSet<TenantId>>,
    /// Those that follow there in the listing.
    pub after: Option<AlertPlace>,
    /// At most that many; `None`: all.
    pub limit: Option<u32>,
}

/// A place in a listing of alerts: behind that alert, as it last changed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertPlace {
    /// When the alert had last changed.
    pub changed_at: Timestamp,
    /// Which.
    pub alert: AlertKey,
}

/// An alert in a listing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertRow {
    /// Which.
    #[serde(flatten)]
    pub key: AlertKey,
    /// Its state.
    #[serde(flatten)]
    pub alert: Alert,
    /// When its newest notification came to rest.
    pub told_at: Option<Timestamp>,
    /// The channels that notifications of this generation were queued for.
    pub told_to: Vec<ChannelName>,
    /// Whether a person has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
    /// The fleet shift whose notice covered it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<String>,
    /// What is still to be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owes: Option<Owed>,
    /// The newest notification of this alert, for its facts.
    pub last_notification: Option<Notification>,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// Which deliveries. Every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// In one of these states; empty: any.
    pub states: Vec<DeliveryState>,
    /// To that channel.
    pub channel: Option<ChannelName>,
    /// About that tenant.
    pub tenant: Option<TenantId>,
    /// About one of these tenants; `None`: about any, several or none.
    pub tenants: Option<BTreeSet<TenantId>>,
    /// Those that were made before this one.
    pub before: Option<DeliveryId>,
    /// At most that many; 0: a thousand.
    pub limit: u32,
}

/// One delivery, whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeliveryDetail {
    /// How it stands.
    pub delivery: Delivery,
    /// What it says.
    pub notification: Notification,
    /// The attempts, oldest first; at most the newest fifty.
    pub attempts: Vec<Attempt>,
    /// The deliveries that are merged into it, oldest first.
    pub covers: Vec<Delivery>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attempt {
    /// Counts from one.
    pub number: u32,
    /// When it was recorded, just before it was made.
    pub started_at: Timestamp,
    /// When its outcome was recorded; `None`: unknown, the service stopped in between.
    pub finished_at: Option<Timestamp>,
    /// `delivered`, `retry`, `plainer`, `rejected`, `dead`, `parked`; `None`: unknown.
    pub outcome: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Dead letters of one channel and cause of which the operator was not notified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetters {
    /// The channel.
    pub channel: ChannelName,
    /// Why they could not be delivered.
    pub cause: String,
    /// How many messages.
    pub count: u64,
    /// The first of them.
    pub first: DeliveryId,
    /// When the first of them was given up.
    pub since: Timestamp,
}

/// A channel that rejects everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParkedChannel {
    /// Which.
    pub channel: ChannelName,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// What is known of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelRecord {
    /// Which.
    pub channel: ChannelName,
    /// Whether it rejects everything.
    pub parked: Option<ParkedChannel>,
    /// The last period in which it did, if that is over.
    pub was_parked: Option<FailedPeriod>,
    /// How its receiver fares.
    pub standing: ChannelStanding,
    /// Why its last failed attempt failed.
    pub last_error: Option<String>,
    /// Where it led when that was last looked at; see [`ChannelIdentity`].
    #[serde(skip)]
    pub destination: Option<String>,
    /// The same with all its secrets.
    #[serde(skip)]
    pub access: Option<String>,
    /// When it was first seen.
    pub seen_at: Option<Timestamp>,
    /// When it was last drilled, or first seen.
    pub drilled_at: Option<Timestamp>,
}

impl ChannelRecord {
    /// Whether its receiver accepted what it was last sent, as far as is known.
    #[must_use]
    pub const fn works(&self) -> bool {
        self.parked.is_none() && self.standing.failing_since.is_none()
    }

    /// What is known of whether its messages arrive.
    #[must_use]
    pub const fn proof(&self) -> Proof {
        Proof { seen_at: self.seen_at, drilled_at: self.drilled_at, proven_at: self.standing.proven_at }
    }
}

/// Counts for metrics and listings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tenants known.
    pub tenants: u64,
    /// Tenants whose checks fail.
    pub failing: u64,
    /// The same by the class of their newest failure.
    pub failing_by_class: Vec<(String, u64)>,
    /// Alerts that pend and that fire.
    pub pending: u64,
    /// See `pending`.
    pub firing: u64,
    /// Unfinished, dead and suppressed deliveries by channel and state. Delivered ones are counted by the process, not here.
    pub deliveries: Vec<(ChannelName, DeliveryState, u64)>,
    /// By channel, when its oldest unfinished delivery was queued; what is held waits for no receiver and does not count.
    pub oldest_queued_at: Vec<(ChannelName, Timestamp)>,
}

/// A period in which the service was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Away {
    /// The last sign of life before.
    pub from: Timestamp,
    /// The first after.
    pub until: Timestamp,
}
