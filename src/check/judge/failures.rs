//! Since when checks have been failing, and how: of the tenant, and of each score on its own.

use super::Fetched;
use crate::{
    domain::{ScoreKind, Timestamp},
    store::{Failing, ScoreFailure},
};

/// From when on the time of a failure counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begins {
    /// The wall time of the check.
    pub(super) now: Timestamp,
    /// When the tenant was configured again after it had been removed.
    pub(super) watched_since: Option<Timestamp>,
}

impl Begins {
    /// Since when a known failure has lasted: not from before the tenant was configured again, and not from a time that has not come
    /// yet, as it says when the clock was set back.
    fn of(self, since: Timestamp) -> Timestamp {
        since.max(self.watched_since.unwrap_or(since)).min(self.now)
    }

    /// How checks fail after these answers. None: only time has passed.
    pub(super) fn failing<'a>(
        self,
        before: Option<&Failing>,
        mut fetched: impl Iterator<Item = &'a Fetched> + Clone,
    ) -> Option<Failing> {
        let since = before.map_or(self.now, |failing| self.of(failing.since));
        if fetched.clone().next().is_none() {
            return before.map(|before| Failing { since, ..before.clone() });
        }
        let failed = fetched.clone().find_map(|fetched| fetched.result.as_ref().err());
        let partly = || fetched.find_map(|fetched| fetched.partly.as_ref().map(|partly| &partly.failure));
        let failure = failed.or_else(partly)?;
        Some(Failing {
            since,
            class: failure.class.to_owned(),
            hint: failure.hint.as_ref().map(|hint| hint.clone().into_owned()),
        })
    }

    /// The same of each score that the tenant is polled for.
    pub(super) fn failures(
        self,
        before: &[ScoreFailure],
        scores: &[ScoreKind],
        fetched: &[Fetched],
    ) -> Vec<ScoreFailure> {
        let of_score = |score: &ScoreKind| {
            let known = before.iter().find(|known| known.score == *score).map(|known| &known.failing);
            let polled = fetched.iter().filter(|fetched| fetched.score == *score);
            self.failing(known, polled).map(|failing| ScoreFailure { score: *score, failing })
        };
        scores.iter().filter_map(of_score).collect()
    }
}
