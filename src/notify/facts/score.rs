//! What a notification says of a score: its values, or why there are none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cause::Comparison, wording::Lack};
use crate::{
    domain::{Points, ScoreKind, Timestamp},
    rule::Gap,
};

/// The score's values, at full precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreFacts {
    /// What is measured; of an alert of the whole tenant, the first score that it is polled for.
    pub kind: ScoreKind,
    /// Whether the alert is about all scores of the tenant, as a `no_data` rule without `score:` makes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Which of several values of that kind; text from outside.
    pub subject: Option<String>,
    /// What the numbers count.
    pub unit: String,
    /// The value; `None` when there is no data.
    pub value: Option<f64>,
    /// The frozen baseline; `drop` and `rise` only.
    pub baseline: Option<f64>,
    /// The worst value that was reported before; of a worsening only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<f64>,
    /// How far the value is from the baseline, in the rule's direction; negative when it is past the baseline on the good side.
    pub loss: Option<f64>,
    /// The same in percent of the baseline.
    pub loss_percent: Option<f64>,
    /// When the source gave the value.
    pub observed_at: Option<Timestamp>,
    /// The gap in the readings that the change spans: an outage, our own downtime, missing records; `drop` and `rise` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
    /// The points that a percentage was made from, where they are at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Points>,
    /// How the average of all of Microsoft's tenants moved meanwhile, where the records show it: a second witness of whether it
    /// was the tenant or the ruler that moved. It is that of the whole secure score, for a category too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// The controls that do not count in these values; absent: every control counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<ExcludedFacts>,
}

/// Controls that do not count in a score: neither what they earn nor what they are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExcludedFacts {
    /// The value with these controls, as Microsoft shows it; `None` when there is no data.
    pub value_with_them: Option<f64>,
    /// The controls, by name.
    pub controls: Vec<ExcludedControl>,
}

/// A control that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExcludedControl {
    /// The control's name in Microsoft's records.
    pub control: String,
    /// When it counts again; `None`: from the next check on.
    pub until: Option<Timestamp>,
    /// Why it does not count, in the words of the configuration; `None`: this channel does not show what rules and exclusions are for.
    pub reason: Option<String>,
}

/// A score without data, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoDataFacts {
    /// The kind of score.
    pub kind: ScoreKind,
    /// When its data was last read.
    pub since: Timestamp,
    /// The class of the failure, for machines: `secret-expired`, `licence-missing`; `None`: checks succeed, but bring no new data.
    pub class: Option<String>,
    /// The class in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do, as one imperative sentence.
    pub hint: Option<String>,
    /// The class and the hint in words.
    pub reason: String,
    /// The value behind the reason; in the store only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub lack: Option<Lack>,
    /// Whether the alert worsens by it: earlier notifications of the alert did not list it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_new: bool,
}
