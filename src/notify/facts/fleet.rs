//! What a message about a fleet shift says of the shift itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cause::Comparison;
use crate::domain::{ScoreKind, Severity, Timestamp};

/// How a fleet shift went. Only what its channel may show is named or counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleetFacts {
    /// The shift's id: `scorewatch alerts accept --shift ID` takes it.
    #[serde(default)]
    pub id: String,
    /// What this message is sent for.
    #[serde(default)]
    pub occasion: Occasion,
    /// The kind of score that moved.
    pub score: ScoreKind,
    /// The category, where Microsoft re-scored one; text from outside.
    pub subject: Option<String>,
    /// The median move of the whole fleet; negative: it fell. In percent of each score, or in percentage points where the score is
    /// a percentage itself.
    pub median: f64,
    /// What the median counts: `percent` or `points`.
    pub measure: String,
    /// The first reading that shows it.
    pub from: Timestamp,
    /// When the last of the movements was read.
    pub until: Timestamp,
    /// How many alerts this message covers; `items` has the facts of the first of them, gravest first.
    pub alerts: usize,
    /// How many of them fire and are critical.
    #[serde(default)]
    pub critical: usize,
    /// How many of them fire and are warnings.
    #[serde(default)]
    pub warning: usize,
    /// How many of them fire and are for information.
    #[serde(default)]
    pub info: usize,
    /// How many of them have no line in `items`.
    #[serde(default)]
    pub left_out: usize,
    /// How many tenants have these alerts.
    pub tenant_count: usize,
    /// Those tenants, by slug; of very many the first.
    pub tenants: Vec<String>,
    /// Tenants that moved farther: each is reported on its own. By slug.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<String>,
    /// Tenants that moved along and that this channel was notified of before the shift showed. By slug.
    #[serde(default, alias = "told_before", skip_serializing_if = "Vec::is_empty")]
    pub notified_before: Vec<String>,
    /// What is known of why they moved.
    #[serde(default)]
    pub evidence: ShiftEvidence,
    /// Whether everything that this message covers is accepted as the new level: nothing is left to do.
    #[serde(default)]
    pub accepted: bool,
    /// How many of the alerts are accepted as the new level.
    #[serde(default)]
    pub accepted_count: usize,
}

impl FleetFacts {
    /// Counts the alerts that fire, by severity.
    pub fn count_severities(&mut self, firing: impl Iterator<Item = Severity>) {
        (self.critical, self.warning, self.info) = (0, 0, 0);
        for severity in firing {
            *match severity {
                Severity::Critical => &mut self.critical,
                Severity::Warning => &mut self.warning,
                Severity::Info => &mut self.info,
            } += 1;
        }
    }
}

/// What a message about a fleet shift is sent for.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// Scores of many tenants moved together.
    #[default]
    Shift,
    /// Tenants that were read later moved along.
    FollowUp,
    /// Alerts that a notice covered still fire.
    Reminders,
    /// Nobody has acknowledged alerts that a notice covered.
    Escalations,
    /// Alerts that a notice covered were accepted as the new level.
    Accepted,
}

impl Occasion {
    /// The name in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shift => "shift",
            Self::FollowUp => "follow-up",
            Self::Reminders => "reminders",
            Self::Escalations => "escalations",
            Self::Accepted => "accepted",
        }
    }

    /// Whether movements caused what it covers, and not time or a person.
    #[must_use]
    pub const fn is_of_movements(self) -> bool {
        matches!(self, Self::Shift | Self::FollowUp)
    }
}

/// Whose doing a shift is, as far as the evidence shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The evidence does not show whose doing it is.
    #[default]
    None,
    /// Microsoft changed the score: controls that are new or retired, or another maximum.
    Microsoft,
    /// The tenants lost points on controls that stayed, by their own doing or by whoever looks after them.
    Tenants,
    /// Different things at different tenants, or both at one.
    Mixed,
}

/// The evidence of a shift, as far as its channel may see the tenants.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShiftEvidence {
    /// Whose doing the shift is, as far as the evidence shows it.
    pub verdict: Verdict,
    /// At how many tenants Microsoft changed the score.
    #[serde(default)]
    pub by_microsoft: usize,
    /// How many tenants lost points on controls that stayed, with an unchanged maximum.
    #[serde(default)]
    pub by_tenants: usize,
    /// At how many tenants both happened.
    #[serde(default)]
    pub by_both: usize,
    /// At how many tenants nothing shows it.
    #[serde(default)]
    pub unknown: usize,
    /// The controls on which most tenants lost points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<LostControl>,
    /// How Microsoft's own average of all tenants moved between the same two records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<Comparison>,
}

/// A control on which several tenants lost points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LostControl {
    /// Its title; text from outside.
    pub title: String,
    /// How many tenants lost points on it.
    pub tenants: usize,
}
