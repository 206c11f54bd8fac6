//! What controls did to a secure score, and what to do next.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cause::{CauseKind, ChangedBy};
use crate::domain::{ScoreKind, Timestamp};

/// What controls did to a secure score between two days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ControlChanges {
    /// The earlier day; the midnight with which it begins.
    pub from: Timestamp,
    /// The later of the two days that are compared.
    pub to: Timestamp,
    /// Whose doing a fall is.
    pub changed_by: ChangedBy,
    /// What took from the score, largest first.
    pub lost: Vec<ControlChange>,
    /// What added to it, largest first.
    pub gained: Vec<ControlChange>,
}

/// What one control did to a secure score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ControlChange {
    /// In which way it moved the score.
    pub kind: CauseKind,
    /// The control's name for people; text from outside.
    pub title: String,
    /// Its category; text from outside.
    pub category: Option<String>,
    /// In points; negative took from the score.
    pub points: f64,
    /// In percentage points of the score, including the maximum that came or went with the control; negative took from the score.
    pub percent: f64,
    /// Where it is set; `https` only.
    pub link: Option<String>,
}

/// Something that a tenant can do for a better score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NextAction {
    /// The score that improves.
    pub score: ScoreKind,
    /// What to do, or the control to put in place; text from outside.
    pub title: String,
    /// Its category; text from outside.
    pub category: Option<String>,
    /// By how many points the score can improve, above zero.
    pub points: f64,
    /// Where it is done; `https` only.
    pub link: Option<String>,
}
