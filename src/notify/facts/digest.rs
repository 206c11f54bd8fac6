//! What a digest comes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Severity;

/// What a digest comes to. Only what its channel may show is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestFacts {
    /// How many of its lines are alerts that fire.
    pub firing: usize,
    /// How many of those are critical.
    pub critical: usize,
    /// How many of those are warnings.
    #[serde(default)]
    pub warning: usize,
    /// How many of those are for information.
    #[serde(default)]
    pub info: usize,
    /// How many tenants have them; if none fires, how many have the alerts that ended.
    pub tenants: usize,
    /// How many of its lines are alerts that ended.
    pub ended: usize,
    /// How many of its lines are for the operator.
    pub operator: usize,
    /// The short id of the message, by which all that it covers can be looked up: `scorewatch deliveries show 7Q4M2K`; null: it was not
    /// stored, or by an older version.
    #[serde(default)]
    pub stored_as: Option<String>,
    /// The lines that are not in `items`, counted by severity and rule.
    pub more: Vec<DigestRest>,
}

/// Lines of a digest that are not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestRest {
    /// Their severity; `None`: they are about no alert.
    pub severity: Option<Severity>,
    /// Their rule; `operator` for what is for the operator.
    pub rule: Option<String>,
    /// Whether they say that an alert ended.
    pub is_over: bool,
    /// How many such lines are not shown.
    pub count: usize,
}
