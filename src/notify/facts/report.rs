//! What a report says: facts, not text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{ScoreKind, Severity, Timestamp};

/// How the tenants that a channel may show have fared. Only those are named or counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFacts {
    /// When the report before this one was due.
    pub from: Timestamp,
    /// When this one was due.
    pub until: Timestamp,
    /// The most tenants that are watched.
    pub tenant_count: usize,
    /// Those tenants, by slug; on a channel that may show every tenant and has very many, the first.
    pub tenants: Vec<String>,
    /// The alerts that fired when the report was made.
    pub alerts: ReportAlerts,
    /// The tenants that could not be read then.
    pub blind: ReportBlind,
    /// How scores moved in the period; a score that did not is left out.
    pub scores: Vec<ReportScore>,
    /// The number of tenants whose secure scores are compared without excluded controls.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub excluding: usize,
    /// How messages to this channel fare.
    pub deliveries: ReportDeliveries,
}

/// The alerts that fire at the end of the period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportAlerts {
    /// How many are critical.
    pub critical: usize,
    /// How many are warnings.
    pub warning: usize,
    /// How many are for information.
    pub info: usize,
    /// Those that have fired longest, oldest first; at most five.
    pub oldest: Vec<ReportAlert>,
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportAlert {
    /// The tenant that it is about.
    pub tenant: ReportTenant,
    /// The name of the alert's rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// Of which score; `None`: of the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values; text from outside.
    pub subject: Option<String>,
    /// When its condition first held.
    pub since: Timestamp,
}

/// A tenant in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportTenant {
    /// The tenant's slug, as in the configuration.
    pub id: String,
    /// The display name; text from outside.
    pub name: String,
}

/// Tenants that can't be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportBlind {
    /// How many there are in total.
    pub count: usize,
    /// Those that have been unreadable longest, oldest first; at most five.
    pub tenants: Vec<ReportUnread>,
}

/// A tenant that can't be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportUnread {
    /// The tenant that cannot be read.
    pub tenant: ReportTenant,
    /// The first failed check since the last good one.
    pub since: Timestamp,
    /// The class of the trouble, for machines: `secret-expired`, `role-missing`.
    pub class: String,
}

/// How one score moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportScore {
    /// The kind of score that is measured.
    pub kind: ScoreKind,
    /// What the numbers count.
    pub unit: String,
    /// How many of its values got worse.
    pub worse_count: usize,
    /// How many of its values got better.
    pub better_count: usize,
    /// Those that got worse, by how much; at most five.
    pub worse: Vec<ReportMove>,
    /// Those that got better, by how much; at most five.
    pub better: Vec<ReportMove>,
}

/// How one value moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportMove {
    /// The tenant that it is about.
    pub tenant: ReportTenant,
    /// Which of several values; text from outside.
    pub subject: Option<String>,
    /// At the beginning of the period, or where the tenant's readings begin if that is later.
    pub before: f64,
    /// The value at the end of the period.
    pub value: f64,
    /// The difference; negative: it fell. Whether that is good depends on the score.
    pub change: f64,
}

/// How messages to the channel fare; at most a thousand of each are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportDeliveries {
    /// How many are held: by a silence, a maintenance window or a fleet shift.
    pub held: usize,
    /// How many were given up in the period: they are dead letters.
    pub dead: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}
