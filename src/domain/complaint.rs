//! What is wrong with a text, and what to write instead.

use std::fmt;

/// Why a text that somebody wrote was refused. Both parts are sentences without a capital or a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// What is wrong, as one clause without a full stop.
    pub what: String,
    /// What to write instead, in the imperative.
    pub instead: String,
}

impl Complaint {
    /// A complaint of these two sentences.
    pub fn new(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { what: what.into(), instead: instead.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.instead)
    }
}

impl std::error::Error for Complaint {}
