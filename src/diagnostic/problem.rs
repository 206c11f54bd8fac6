//! One problem.

use serde::Serialize;

use super::Place;

/// How grave a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// The configuration is taken, but something is probably not meant.
    Warning,
    /// The configuration is not taken.
    Error,
}

/// One problem: where, what, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The key it is about, as a path: `rules[1].when.below`. Empty: the whole file.
    pub key: String,
    /// Whether the configuration is still taken.
    pub gravity: Gravity,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}
