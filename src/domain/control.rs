//! What stands behind a secure score: the controls of one day's record, and what Microsoft says of each control.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Points, Timestamp};

/// One day's record of a tenant's secure score, with its controls. Names are text from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRecord {
    /// The midnight with which the record's day begins, in UTC; what its readings bear.
    pub day: Timestamp,
    /// Points earned, and the tenant's maximum on that day, which is above zero.
    pub points: Points,
    /// Each control once, by its name.
    pub controls: BTreeMap<String, Control>,
    /// The products that the tenant has; `None`: the record does not say.
    pub services: Option<BTreeSet<String>>,
    /// The average of all tenants, in percent, above 0 and at most 100; `None`: unknown.
    pub all_tenants_average: Option<f64>,
}

/// How one control stood on one day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Control {
    /// To which category it belongs.
    pub category: Option<String>,
    /// Points earned; `None`: the record does not say.
    pub points: Option<f64>,
    /// Points that could be earned, where the record allows to reckon it.
    pub maximum: Option<f64>,
    /// On how many users or devices it is in place.
    pub counts: Option<Counts>,
}

/// A count out of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// How many there are.
    pub count: u64,
    /// How many there could be.
    pub total: u64,
}

/// What Microsoft says of a control, and what people of the tenant said of it. Texts are from outside.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ControlProfile {
    /// Its name for people.
    pub title: Option<String>,
    /// Points that can be earned.
    pub maximum: Option<f64>,
    /// Where it is set; `https` only.
    pub link: Option<String>,
    /// Whether Microsoft retired it.
    pub is_deprecated: bool,
    /// When people changed how it is counted, and to what: `ignored`, `thirdParty`, `reviewed`. Newest first; undated changes are left
    /// out.
    pub state_changes: Vec<StateChange>,
}

impl ControlProfile {
    /// Whether people of the tenant decided to live with it as it is.
    #[must_use]
    pub fn is_ignored(&self) -> bool {
        self.state_changes.first().is_some_and(|newest| newest.state.eq_ignore_ascii_case("ignored"))
    }
}

/// A person changed how a control is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// The state that it was changed to.
    pub state: String,
    /// The time at which it happened.
    pub at: Timestamp,
}

/// Profiles by the names of their controls. One that is missing is normal.
pub type ControlProfiles = BTreeMap<String, ControlProfile>;
