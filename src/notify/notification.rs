//! What one transition says: facts, not text. Its JSON form is the body of a generic webhook and what templates see.

use std::ops::{Deref, DerefMut};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::facts::{
    cause::Cause,
    digest::{DigestFacts, DigestRest},
    fleet::FleetFacts,
    operator::OperatorFacts,
    score::{ExcludedControl, ExcludedFacts, NoDataFacts, ScoreFacts},
};
use super::{
    NotificationId, ShortId,
    facts::{
        cause::Breakdown,
        month::MonthFacts,
        report::ReportFacts,
        wording::{Remark, Why},
    },
};
use crate::{
    domain::{Labels, Severity, Timestamp},
    rule::Resolution,
};

/// The JSON Schema of what a generic webhook receives.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Notification)
}

/// One notification: the envelope of a generic webhook. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// What kind of message.
    #[serde(rename = "type")]
    pub kind: NotificationType,
    /// When what it reports happened.
    pub timestamp: Timestamp,
    /// What happened, as facts without wording.
    pub data: Data,
}

impl Notification {
    /// Whether what it says is in its items or lists, so that a template that does not show their lines would hide it.
    #[must_use]
    pub const fn has_items(&self) -> bool {
        matches!(
            self.kind,
            NotificationType::Digest
                | NotificationType::FleetShift
                | NotificationType::Report
                | NotificationType::MonthReport
        )
    }
}

/// What kind of message a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum NotificationType {
    /// An alert has begun to fire.
    #[serde(rename = "alert.firing")]
    AlertFiring,
    /// A firing alert got worse.
    #[serde(rename = "alert.worsened")]
    AlertWorsened,
    /// An alert still fires.
    #[serde(rename = "alert.reminder")]
    AlertReminder,
    /// Nobody has acknowledged a firing alert in time: further channels are notified.
    #[serde(rename = "alert.escalated")]
    AlertEscalated,
    /// An alert is over.
    #[serde(rename = "alert.resolved")]
    AlertResolved,
    /// An alert has fired and recovered too often; nothing more is sent about it until it has been stable for a while.
    #[serde(rename = "alert.unstable")]
    AlertUnstable,
    /// The scores of many tenants moved together; or alerts that such a notice covered have something to say together.
    #[serde(rename = "fleet.shift")]
    FleetShift,
    /// Several notifications that waited for one channel, as one message.
    #[serde(rename = "digest")]
    Digest,
    /// How a channel's tenants have fared since the report before.
    #[serde(rename = "report")]
    Report,
    /// How one tenant's scores moved in a month, for the customer.
    #[serde(rename = "report.month")]
    MonthReport,
    /// A marked message that proves from time to time that a channel works.
    #[serde(rename = "drill")]
    Drill,
    /// For the operator: a tenant or some of its scores can't be read, or can be read again.
    #[serde(rename = "operator.blind")]
    OperatorBlind,
    /// For the operator: a channel refuses what it is sent.
    #[serde(rename = "operator.channel")]
    OperatorChannel,
    /// For the operator: the service itself was down.
    #[serde(rename = "operator.downtime", alias = "operator.away")]
    OperatorDowntime,
    /// For the operator: a credential is about to expire.
    #[serde(rename = "operator.credential")]
    OperatorCredential,
    /// For the operator: a changed configuration was rejected, or is accepted after all.
    #[serde(rename = "operator.configuration")]
    OperatorConfiguration,
    /// For the operator: a person silenced every tenant, or for a long time.
    #[serde(rename = "operator.silence")]
    OperatorSilence,
    /// A message that a person asked for to see whether it arrives.
    #[serde(rename = "test")]
    Test,
}

impl NotificationType {
    /// The name in JSON and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlertFiring => "alert.firing",
            Self::AlertWorsened => "alert.worsened",
            Self::AlertReminder => "alert.reminder",
            Self::AlertEscalated => "alert.escalated",
            Self::AlertResolved => "alert.resolved",
            Self::AlertUnstable => "alert.unstable",
            Self::FleetShift => "fleet.shift",
            Self::Digest => "digest",
            Self::Report => "report",
            Self::MonthReport => "report.month",
            Self::Drill => "drill",
            Self::OperatorBlind => "operator.blind",
            Self::OperatorChannel => "operator.channel",
            Self::OperatorDowntime => "operator.downtime",
            Self::OperatorCredential => "operator.credential",
            Self::OperatorConfiguration => "operator.configuration",
            Self::OperatorSilence => "operator.silence",
            Self::Test => "test",
        }
    }
}

/// What a notification says: the facts, and what only a message of its own adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Data {
    /// The facts; in JSON, they stand among the other fields.
    #[serde(flatten)]
    pub facts: Facts,
    /// How a secure score's change adds up, where its records could be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakdown: Option<Breakdown>,
    /// What regressed, largest first, where the source allows to say.
    pub causes: Vec<Cause>,
    /// How a fleet shift went; `None` in all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetFacts>,
    /// What a digest comes to; `None` in all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestFacts>,
    /// How a channel's tenants have fared; `None` in all but reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportFacts>,
    /// A tenant's month; `None` in all but reports on a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<Box<MonthFacts>>,
    /// What a digest or the notice of a fleet shift says, gravest first; empty in all others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<DigestItem>,
}

/// The facts of a notification, be it a message of its own or a line of another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// The identity of the notification.
    pub notification: NotificationFacts,
    /// Which alert; `None` for operator messages without one.
    pub alert: Option<AlertFacts>,
    /// Whose score; `None` for operator messages that are about no tenant.
    pub tenant: Option<TenantFacts>,
    /// The rule that the notification comes from.
    pub rule: Option<RuleFacts>,
    /// The values of the score, where the alert is about one.
    pub score: Option<ScoreFacts>,
    /// The scores without data, each with its own cause; alerts of `no_data` rules only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_data: Vec<NoDataFacts>,
    /// What regressed, or why that can't be said, in one or two sentences of our own; alerts that fire or worsen only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// The value behind the explanation; in the store only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub why: Option<Why>,
    /// What an operator message is about; `None` in all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<OperatorFacts>,
    /// Links to pages with more details.
    pub links: Links,
}

/// One line of a digest: the facts of a notification that is not sent on its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DigestItem {
    /// What kind of message it would have been.
    #[serde(rename = "type")]
    pub kind: NotificationType,
    /// When what it reports happened.
    pub timestamp: Timestamp,
    /// The facts; in JSON, they stand among the other fields.
    #[serde(flatten)]
    pub facts: Facts,
    /// Whether the alert is accepted as the new level with this message: nothing is left to do. Lines of a fleet shift only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub accepted: bool,
}

/// As in JSON, where the facts stand among the other fields.
impl Deref for Data {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl DerefMut for Data {
    fn deref_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }
}

/// As in JSON, where the facts stand among the other fields.
impl Deref for DigestItem {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl DerefMut for DigestItem {
    fn deref_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }
}

impl From<Facts> for Data {
    /// What says these facts and nothing else.
    fn from(facts: Facts) -> Self {
        let (breakdown, causes, fleet, digest, report, items) = (None, Vec::new(), None, None, None, Vec::new());
        Self { facts, breakdown, causes, fleet, digest, report, month: None, items }
    }
}

impl From<Notification> for DigestItem {
    fn from(Notification { kind, timestamp, data }: Notification) -> Self {
        Self { kind, timestamp, facts: data.facts, accepted: false }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl From<DigestItem> for Notification {
    /// As it would be sent on its own, without its causes.
    fn from(DigestItem { kind, timestamp, facts, .. }: DigestItem) -> Self {
        Self { kind, timestamp, data: facts.into() }
    }
}

/// What identifies a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationFacts {
    /// The same on every channel and in every attempt.
    pub id: NotificationId,
    /// The same for people.
    pub short_id: ShortId,
    /// Counts from one in each generation of the alert.
    pub sequence: u64,
    /// Whether a person asked for it, to see whether it arrives.
    pub test: bool,
    /// Whether an earlier attempt may have arrived unseen: the service stopped between sending and recording the answer, the answer
    /// was lost on the way, or was one that a gateway gives although it may have passed the message on.
    #[serde(default, alias = "possible_repeat")]
    pub possible_duplicate: bool,
    /// Earlier notifications of the same alert, or earlier drills, that are not sent because this one came while they still waited.
    #[serde(default, alias = "stands_for")]
    pub covers: Vec<NotificationId>,
}

/// Which alert, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertFacts {
    /// The same for the alert's whole life.
    pub id: String,
    /// The alert's state: `firing` or `resolved`.
    pub state: String,
    /// How bad it is.
    pub severity: Severity,
    /// When the condition first held.
    pub started_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// For a resolved alert, why it is over when the score did not simply recover; for `no_data`, why we are blind and what to do.
    pub reason: Option<String>,
    /// The value behind the reason; in the store only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub remark: Option<Remark>,
    /// Why further channels are notified of it; of an escalation only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<EscalationFacts>,
    /// The same for machines, when it is resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// The person who accepted the level; `None` if time did, or for any other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
}

/// Why an alert is escalated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EscalationFacts {
    /// Since when nobody has acknowledged the alert.
    pub unacknowledged_since: Timestamp,
    /// How long its rule waits for that.
    pub after_seconds: u64,
    /// Which step of its rule this is, from one on.
    pub step: u32,
}

/// The tenant that a notification is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TenantFacts {
    /// The tenant's slug, as in the configuration.
    pub id: String,
    /// The Entra id; missing only in what was written before it was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The display name; text from outside.
    pub name: String,
    /// The tenant's labels in the configuration.
    pub labels: Labels,
}

/// The rule that a notification comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleFacts {
    /// The name of the rule in the configuration.
    pub name: String,
    /// The condition in words: `drop 5% within 24h`.
    pub condition: String,
    /// What the rule is for, in its author's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What to do when it fires: an `https` link, or a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
}

/// Links to pages with more details.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Links {
    /// Our own page, if `public_url` is set.
    pub dashboard: Option<String>,
    /// Microsoft's own page about the score.
    pub portal: Option<String>,
    /// The page on which what is wrong can be fixed: the app registration, the consent, the receiver's settings. Operator messages
    /// only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Where a person says that a drill arrived; drills only, and if `public_url` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}
