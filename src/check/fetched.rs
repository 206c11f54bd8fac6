//! What a check's calls gave, and whether the tenant can be read after them.

use crate::{
    domain::{Reading, ScoreKind, Subject, Timestamp},
    store::Failing,
};

/// What one score's call gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// Which score.
    pub score: ScoreKind,
    /// Its readings, or why there are none.
    pub result: Result<Vec<Reading>, Failure>,
    /// What of the answer was no reading, though others were.
    pub partly: Option<Partly>,
}

/// Values of an answer that are no readings beside those that are.
#[derive(Debug, Clone, PartialEq)]
pub struct Partly {
    /// Why.
    pub failure: Failure,
    /// Of which subjects.
    pub subjects: Vec<Subject>,
}

/// Why a score could not be fetched, in the words that the store keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class's text form.
    pub class: &'static str,
    /// What the operator can do.
    pub hint: Option<&'static str>,
}

/// Since when and why the tenant can't be read as a whole, after these calls.
pub(super) fn failing_after(before: Option<&Failing>, fetched: &[Fetched], now: Timestamp) -> Option<Failing> {
    if fetched.is_empty() {
        return before.cloned();
    }
    let partly = |fetched: &'_ Fetched| fetched.partly.as_ref().map(|partly| partly.failure.clone());
    let failed = fetched.iter().find_map(|fetched| fetched.result.as_ref().err().cloned());
    let failure = failed.or_else(|| fetched.iter().find_map(partly))?;
    Some(Failing {
        since: before.map_or(now, |failing| failing.since),
        class: failure.class.to_owned(),
        hint: failure.hint.map(str::to_owned),
    })
}
