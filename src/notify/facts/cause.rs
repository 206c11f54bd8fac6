//! What is said of why a score moved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Counts, Points, Timestamp};

/// One thing that regressed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// In which way it moved the score.
    #[serde(default)]
    pub kind: CauseKind,
    /// What; text from outside.
    pub title: String,
    /// Its category; text from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The points that it took; of an `added` control those that are not earned yet, of a `likely` one those that following it
    /// is said to give.
    pub points: Option<f64>,
    /// Of a control, on how many users or devices it is in place; of a `likely` one, how many devices are exposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// What changed about it, in our own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The value behind the detail; in the store only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub change: Option<CauseChange>,
    /// Where to look; `https` only.
    pub link: Option<String>,
}

/// What changed about a cause; the value behind [`Cause::detail`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CauseChange {
    /// Microsoft deprecated the control.
    Deprecated,
    /// A person set the control to that state, as Microsoft calls it.
    SetTo {
        /// The state, as Microsoft calls it.
        state: String,
    },
    /// The control is worth another number of points.
    Reweighted {
        /// What the control is worth now, in points.
        now: f64,
        /// What it was worth before, in points.
        before: f64,
    },
    /// The recommendation is new.
    New,
    /// An exception was removed.
    ExceptionRemoved,
    /// An exception was made.
    ExceptionMade,
    /// More devices are exposed.
    MoreExposed {
        /// How many more devices are exposed than before.
        devices: u64,
    },
    /// It is about more devices.
    MoreDevices {
        /// How many more devices it is about than before.
        devices: u64,
    },
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
    /// In which way it moved the score.
    pub kind: CauseKind,
    /// By how much, in points; negative took from the score.
    pub points: f64,
    /// In percentage points of the score.
    pub percent: f64,
    /// How many controls took part.
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
