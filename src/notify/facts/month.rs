//! What the report on a tenant's month says: facts, not text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    control::{ControlChanges, NextAction},
    score::ExcludedControl,
};
use crate::{
    domain::{Brand, Language, ScoreKind, Severity, Timestamp},
    schedule::{Day, Month},
};

/// A tenant's month, for whom it is written, and by whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonthFacts {
    /// The language of its texts.
    pub language: Language,
    /// Whose report it is.
    pub brand: Brand,
    /// The month; in JSON, its fields stand among these, as `scorewatch report --json` prints them.
    #[serde(flatten)]
    pub report: MonthReport,
}

/// What a report says of a tenant's month, as values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonthReport {
    /// The tenant's id in the configuration.
    pub tenant: String,
    /// Its display name; text from outside.
    pub name: String,
    /// The tenant's id in Microsoft Entra.
    pub tenant_id: String,
    /// The month that the report is about.
    pub month: Month,
    /// When the month begins.
    pub from: Timestamp,
    /// When it ends; for a month that is not over, when the report was made.
    pub until: Timestamp,
    /// The last day that the report covers.
    pub last_day: Day,
    /// Whether the month is over.
    pub is_over: bool,
    /// The IANA time zone by which months and days begin.
    pub timezone: String,
    /// The scores with a value in this month.
    pub scores: Vec<ScoreMonth>,
    /// Why checks of the tenant fail when the report is made; `None`: they don't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<FailingChecks>,
    /// Whether Microsoft was asked about controls and next actions.
    pub asked_microsoft: bool,
    /// What controls did to the secure score.
    pub controls: Controls,
    /// The alerts that fire when the report is made, most severe first.
    pub alerts: Vec<FiringAlert>,
    /// What to do next, at most three for each score, most points first.
    pub actions: Vec<NextAction>,
    /// Why some next actions are missing: a class of failure for each score that could not be asked about.
    pub actions_unknown: Vec<Unknown>,
    /// The controls that do not count for rules, and that are neither changes nor next actions here. The scores count them.
    #[serde(default)]
    pub excluded: Vec<ExcludedControl>,
}

/// How one score moved in a month. Values are in the score's own unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreMonth {
    /// Which score this is about.
    pub score: ScoreKind,
    /// Which of several values; text from outside.
    pub subject: Option<String>,
    /// The newest value of the month.
    pub value: f64,
    /// When that value was observed.
    pub observed_at: Timestamp,
    /// The value with which the month began; `None`: the first value lies within the month.
    pub before: Option<f64>,
    /// By how much the value moved since the month's beginning, or else since its first value.
    pub change: f64,
    /// Whether that was for the better; `None`: it did not move.
    pub is_better: Option<bool>,
    /// The lowest value of the month, of all readings.
    pub lowest: f64,
    /// The highest value of the month, of all readings.
    pub highest: f64,
    /// The last value of each day that has one, oldest first.
    pub days: Vec<DayValue>,
    /// How many days of the month have no value since the score is known.
    pub missing_days: u8,
}

/// The last value of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DayValue {
    /// The day of the month, from 1 to 31.
    pub day: i8,
    /// The value, in the score's own unit.
    pub value: f64,
}

/// Since when the tenant's checks have been failing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailingChecks {
    /// The day of the first failed check since the last good one.
    pub since: Day,
    /// The class of the failure, as in the reference of failure classes.
    pub class: String,
}

/// What controls did to the secure score in a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Controls {
    /// What they did between the two days that are compared.
    Known(ControlChanges),
    /// Microsoft did not say; the class of the failure.
    Failed {
        /// The class, as in the reference of failure classes.
        class: String,
    },
    /// Microsoft has no record of one of the two days.
    NoRecord,
    /// There are no two days to compare, the secure score is not watched, or Microsoft was not asked.
    NotAsked,
}

/// Why the next actions for a score are not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unknown {
    /// The score that the rule judges.
    pub score: ScoreKind,
    /// The class of the failure, as in the reference of failure classes.
    pub class: String,
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FiringAlert {
    /// The name of the rule that fires.
    pub rule: String,
    /// The score; `None`: the whole tenant.
    pub score: Option<ScoreKind>,
    /// Which of several values of that score; text from outside.
    pub subject: Option<String>,
    /// How severe it is; `None`: the rule is no longer configured.
    pub severity: Option<Severity>,
    /// Since when its condition holds.
    pub since: Timestamp,
    /// The day of that instant.
    pub since_day: Day,
    /// Whether a person has acknowledged it.
    pub is_acknowledged: bool,
}
