//! Why a score moved: what a notification says of it. Pure; what Microsoft gave comes in as values.
//!
//! [`control_diff`] compares two records of a secure score, [`contributors`] looks at Defender's recommendations. Both say no more
//! than the numbers show.

pub mod contributors;
pub mod control_diff;
pub mod next_action;

pub use super::facts::cause::{Breakdown, CauseKind, ChangedBy, Comparison, Part};
use super::{
    Notification,
    facts::{cause::Cause, wording::Why},
    language::Locale,
};
use crate::domain::{Sample, Timestamp};

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
    /// Why, or why that can't be said.
    pub why: Option<Why>,
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
    pub fn unknown(why: Why) -> Self {
        Self { why: Some(why), ..Self::default() }
    }

    /// The same in English, as it is kept.
    #[must_use]
    pub fn explanation(&self) -> Option<String> {
        let locale = Locale::default();
        let words = locale.words();
        self.why.as_ref().map(|why| (words.reason.why)(why, words))
    }

    /// Puts it into a notification.
    pub fn add_to(self, notification: &mut Notification) {
        let data = &mut notification.data;
        data.explanation = self.explanation();
        (data.why, data.breakdown, data.causes) = (self.why, self.breakdown, self.causes);
        if let Some(score) = &mut data.score {
            score.comparison = self.comparison;
        }
    }
}
