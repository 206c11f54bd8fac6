//! What a check reads of a tenant, and what it writes.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        Averages, ChannelName, Excluded, RecommendationSnapshot, Sample, ScoreKind, SeriesId, Subject, TenantId,
        Timestamp,
    },
    notify::{fleet::Movement, silence::Acknowledgement},
    rule::{Alert, RuleName},
    store::{NewNotification, Owed, SeriesShift, TenantIdentity},
};

/// When a tenant is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The tenant, by its slug.
    pub tenant: TenantId,
    /// When its next check is due.
    pub next_due_at: Timestamp,
    /// When its alerts must be evaluated again though no check is due: reminders, silence, expiry.
    pub wake_at: Option<Timestamp>,
}

/// What is known of a tenant when a check begins.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantRecord {
    /// The tenant's slug in the configuration.
    pub tenant: TenantId,
    /// Who it is, whatever its slug.
    pub identity: TenantIdentity,
    /// Grows with every commit of this tenant.
    pub version: u64,
    /// How its checks fare.
    pub health: TenantHealth,
    /// All series that the store keeps of it.
    pub series: Vec<SeriesRecord>,
    /// Its alerts that are not blank.
    pub alerts: Vec<AlertRecord>,
    /// What fleet shifts did to its series, oldest first.
    pub shifted: Vec<SeriesShift>,
    /// The controls without which its secure score was judged at the last check.
    pub excluded: Excluded,
}

impl TenantRecord {
    /// The window of one of its series as rules judge it: without excluded controls.
    #[must_use]
    pub fn judged<'a>(&self, series: &'a SeriesRecord) -> Cow<'a, [Sample]> {
        let id = SeriesId { score: series.score, subject: series.subject.as_ref() };
        self.excluded.window(id, &series.window).map_or(Cow::Borrowed(&*series.window), Cow::Owned)
    }
}

/// How a tenant's checks fare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantHealth {
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// When its next check is due.
    pub next_due_at: Timestamp,
    /// When its alerts must be evaluated again though no check is due.
    pub wake_at: Option<Timestamp>,
    /// When it was last checked, whatever came of it.
    pub checked_at: Option<Timestamp>,
    /// Since when its checks fail, and how; `None`: the last one succeeded.
    pub failing: Option<Failing>,
    /// The scores whose checks have been failing, each with its own cause.
    pub failures: Vec<ScoreFailure>,
    /// When it was configured again after it had been removed; `None`: it never was. The time before is not a gap in its data.
    pub watched_since: Option<Timestamp>,
}

/// The checks of one score fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ScoreFailure {
    /// The kind of score that this is about.
    pub score: ScoreKind,
    /// Since when, and how.
    #[serde(flatten)]
    pub failing: Failing,
}

/// A tenant's checks fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// The kind of score that is measured.
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
    /// The name of the alert's rule.
    pub rule: RuleName,
    /// Of which score; `None`: of the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// The state of the alert.
    pub alert: Alert,
    /// When its newest notification became final on some channel; `None` while it is still on its way everywhere.
    pub notified_at: Option<Timestamp>,
    /// From when on its newest notification could be sent to some channel, as nothing held it any more. Asked of a firing alert whose
    /// newest notification is not final.
    pub sendable_since: Option<Timestamp>,
    /// Whether that notification says that the alert got worse since it was acknowledged: the acknowledgement ends once it is final.
    pub outgrows_acknowledgement: bool,
    /// Whether its newest notification can be taken back: nobody has tried to send it to any channel. Asked of an alert that is over.
    pub can_be_withdrawn: bool,
    /// The channels that notifications of this generation were queued for.
    pub notified_channels: Vec<ChannelName>,
    /// Whether a person has seen it: no reminder is made meanwhile.
    pub acknowledged: Option<Acknowledgement>,
    /// The fleet shift whose notice covered it last.
    pub shift: Option<String>,
    /// What is still to be done about it.
    pub owes: Option<Owed>,
}

impl AlertRecord {
    /// Whether a person has seen it as it is now. A channel that does not answer keeps a worsening from ending the acknowledgement, but
    /// not from being escalated.
    #[must_use]
    pub const fn is_acknowledged(&self) -> bool {
        self.acknowledged.is_some() && !self.outgrows_acknowledgement
    }
}

/// What a check made of a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckOutcome {
    /// The tenant's slug in the configuration.
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
    /// The notifications to queue.
    pub notifications: Vec<NewNotification>,
    /// Readings that differ from the one before by more than usual.
    pub movements: Vec<Movement>,
    /// The controls without which the secure score was judged, if that or what is known of them changed.
    pub excluded: Option<Excluded>,
    /// What is remembered of recommendations from now on; each replaces the one for its score.
    pub recommendations: Vec<RecommendationSnapshot>,
    /// What Microsoft says of other tenants beside its secure score; `None`: what is known stays.
    pub averages: Option<Averages>,
    /// The wall time of the check.
    pub now: Timestamp,
}

/// New samples of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesUpdate {
    /// The kind of score that is measured.
    pub score: ScoreKind,
    /// Which of several values.
    pub subject: Option<Subject>,
    /// The window as loaded, whole, with the new samples at its end, each later than all before.
    pub window: Vec<Sample>,
    /// How far back from its end the window must still reach at the next check; [`Self::GONE`]: its subject is gone, and the series
    /// is not loaded again until it is written again. Its history stays as long as retention says.
    pub keep: Duration,
    /// When the series was onboarded; see [`SeriesRecord::onboarded_at`].
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
    /// The name of the alert's rule.
    pub rule: RuleName,
    /// Of which score; `None`: of the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// The new state of the alert.
    pub alert: Alert,
    /// What it takes over from alerts that it replaces; `None`: nothing.
    pub inherits: Option<Inherited>,
}

/// What an alert takes over from those that it replaces: who was notified, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inherited {
    /// The channels that were notified.
    pub notified_channels: Vec<ChannelName>,
    /// When the newest notification was settled; `None`: it is still on its way.
    pub notified_at: Option<Timestamp>,
    /// The replaced alert whose newest notification stays the newest one.
    pub from: (Option<ScoreKind>, Option<Subject>),
}

/// What came of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// The outcome is durable in the store.
    Done,
    /// Somebody else changed the tenant meanwhile; load again and judge again.
    Conflict,
}
