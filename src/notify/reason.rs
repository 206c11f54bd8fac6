//! Why a score moved: what a notification says of it. Pure; what Microsoft gave comes in as values.
//!
//! [`control_diff`] compares two records of a secure score, [`contributors`] looks at Defender's recommendations. Both say no more
//! than the numbers show.

pub mod contributors;
pub mod control_diff;
mod sentence;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Notification, notification::Cause};
use crate::domain::{Points, Sample, Timestamp};

/// The most causes that are listed.
pub const CAUSES_MAX: usize = 3;

/// The time of the sample that a value is compared with: the baseline's, or else the last before the condition held. Samples are
/// oldest first; `None`: neither is among them.
#[must_use]
pub fn compared_with(
    samples: &[Sample],
    baseline: Option<f64>,
    started_at: Timestamp,
    observed_at: Timestamp,
) -> Option<Timestamp> {
    let is_baseline = |sample: &&Sample| Some(sample.value) == baseline && sample.at < observed_at;
    let before = |sample: &&Sample| sample.at < started_at && sample.at < observed_at;
    let found = samples.iter().rfind(is_baseline).or_else(|| samples.iter().rfind(before));
    found.map(|sample| sample.at)
}

/// Why a score moved, or why that can't be said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reason {
    /// One or two sentences of our own.
    pub explanation: Option<String>,
    /// How a secure score's change adds up.
    pub breakdown: Option<Breakdown>,
    /// At most [`CAUSES_MAX`], largest first.
    pub causes: Vec<Cause>,
    /// How the average of all tenants moved.
    pub comparison: Option<Comparison>,
}

impl Reason {
    /// A reason that is not known, with why.
    #[must_use]
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { explanation: Some(why.into()), ..Self::default() }
    }

    /// Puts it into a notification.
    pub fn add_to(self, notification: &mut Notification) {
        let data = &mut notification.data;
        (data.explanation, data.breakdown, data.causes) = (self.explanation, self.breakdown, self.causes);
        if let Some(score) = &mut data.score {
            score.comparison = self.comparison;
        }
    }
}

/// In which way something moved a score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// A control of the tenant lost points.
    #[default]
    Lost,
    /// A control of the tenant gained points.
    Improved,
    /// A control is new: Microsoft added it, or it came with a product.
    Added,
    /// A control is gone or deprecated: Microsoft retired it, or it went with a product.
    Retired,
    /// Microsoft changed how many points a control is worth.
    Reweighted,
    /// A control went to another category, or came from one.
    Moved,
    /// A person changed how a control is counted, and its points changed.
    Accounting,
    /// The tenant's maximum moved, by which the same points are another percentage.
    Maximum,
    /// What the controls do not explain.
    Unexplained,
    /// A recommendation of Defender's that may have to do with it. Microsoft does not say how much each adds to a score.
    Likely,
}

/// Whose doing a fall is, as far as the numbers show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangedBy {
    /// Controls of the tenant lost points, or its people changed how controls are counted, and nothing else took any.
    Tenant,
    /// Microsoft changed the ruler, and no control of the tenant lost points.
    Microsoft,
    /// A product came or went, and no control that stayed lost points.
    Product,
    /// Both the tenant and the ruler.
    Both,
    /// The numbers do not show it.
    Unknown,
}

/// How a secure score's change adds up: the parts' points and percents are the whole change, up to what doubles can't hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Breakdown {
    /// The day that is compared with; the midnight with which it begins.
    pub from: Timestamp,
    /// The day of the alert's value.
    pub to: Timestamp,
    /// The points on the first day; of a category alert, those of the category.
    pub before: Points,
    /// The points on the second day.
    pub after: Points,
    /// Whose doing a fall is.
    pub changed_by: ChangedBy,
    /// Each part that is not zero.
    pub parts: Vec<Part>,
}

/// One part of a change. Negative took from the score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Whether it got worse, or is new.
    pub kind: CauseKind,
    /// How many points the cause accounts for.
    pub points: f64,
    /// In percentage points of the score.
    pub percent: f64,
    /// So many controls took part.
    pub controls: u64,
}

/// The average of all of Microsoft's tenants on two days, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// On the baseline's day.
    pub before: f64,
    /// On the day of the alert's value.
    pub after: f64,
}
