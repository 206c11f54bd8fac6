//! What a message about a fleet shift says of the shift itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{evidence::ShiftEvidence, group::Occasion};
use crate::domain::{ScoreKind, Timestamp};

/// How a fleet shift went. Only what its channel may show is named or counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleetFacts {
    /// The shift's id: `scorewatch alerts accept --shift ID` takes it.
    #[serde(default)]
    pub id: String,
    /// What this message is sent for.
    #[serde(default)]
    pub occasion: Occasion,
    /// The score that moved for many tenants.
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
    /// The time of the latest movement.
    pub until: Timestamp,
    /// How many alerts this message covers; `items` has the facts of the first of them, gravest first.
    pub alerts: usize,
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
