//! One problem.

use serde::Serialize;

use super::{Place, Warning};

/// How grave a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The configuration is accepted, but something in it is probably not intended.
    Warning,
    /// The configuration is rejected.
    Error,
}

/// One problem: where, what, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Its place in a file.
    pub place: Place,
    /// The key it is about, as a path: `rules[1].when.below`. Empty: the whole file.
    pub key: String,
    /// Whether the configuration is accepted despite it.
    pub level: Level,
    /// Which warning it is; `None`: it is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<Warning>,
    /// What is wrong, as one clause.
    pub what: String,
    /// What to write instead, as one clause; may be empty.
    pub instead: String,
}

impl Problem {
    /// A problem because of which the configuration is rejected.
    #[must_use]
    pub fn error(place: Place, key: impl Into<String>, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { place, key: key.into(), level: Level::Error, warning: None, what: what.into(), instead: instead.into() }
    }

    /// Something that is accepted and is probably not meant.
    #[must_use]
    pub fn warning(
        warning: Warning,
        place: Place,
        key: impl Into<String>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        let level = Level::Warning;
        Self { level, warning: Some(warning), ..Self::error(place, key, what, instead) }
    }
}
