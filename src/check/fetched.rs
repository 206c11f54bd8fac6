//! What a check's calls gave.

use std::borrow::Cow;

use crate::domain::{Reading, ScoreKind, Subject};

/// What one score's call gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// The kind of score that this is about.
    pub score: ScoreKind,
    /// Its readings, or why there are none.
    pub result: Result<Vec<Reading>, Failure>,
    /// What of the answer was not a reading, though others were.
    pub partly: Option<Partly>,
}

/// Values of an answer that are not readings beside those that are.
#[derive(Debug, Clone, PartialEq)]
pub struct Partly {
    /// Why the score could not be read.
    pub failure: Failure,
    /// The subjects whose values are not readings.
    pub subjects: Vec<Subject>,
}

/// Why a score could not be fetched, in the words that the store keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class's text form.
    pub class: &'static str,
    /// What the operator can do.
    pub hint: Option<Cow<'static, str>>,
}
