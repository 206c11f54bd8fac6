//! Which of many alerts one step takes. A list offers to act on all that match, however many those are.

use super::{ACCEPTED_MAX, ACKNOWLEDGED_MAX, has_level, would_become};
use crate::{query::alerts::AlertRow, store::Acknowledged};

/// What a step does to alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// What they lost is accepted as the new level.
    Accept,
    /// Somebody has seen them.
    Acknowledge,
}

impl Deed {
    /// The most alerts that one step does it to.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::Accept => ACCEPTED_MAX,
            Self::Acknowledge => ACKNOWLEDGED_MAX,
        }
    }

    fn applies_to(self, row: &AlertRow) -> bool {
        match self {
            Self::Accept => has_level(row),
            Self::Acknowledge => matches!(would_become(row), Acknowledged::Now),
        }
    }
}

/// The alerts of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct OneStep {
    /// Those that the step is done to, in an order that stays from one request to the next, and those to which it does not apply.
    pub rows: Vec<AlertRow>,
    /// To how many others it applies, which are left for the steps after it.
    pub later: usize,
}

impl OneStep {
    /// What one step takes of these.
    #[must_use]
    pub fn of(deed: Deed, rows: Vec<AlertRow>) -> Self {
        Self::at_most(deed.most(), deed, rows)
    }

    fn at_most(most: usize, deed: Deed, rows: Vec<AlertRow>) -> Self {
        let (mut rows, others): (Vec<AlertRow>, Vec<AlertRow>) = rows.into_iter().partition(|row| deed.applies_to(row));
        // An alert that comes or ends at the other end of the list changes nothing of what somebody was shown.
        rows.sort_by(|one, other| one.key.cmp(&other.key));
        let later = rows.len().saturating_sub(most);
        rows.truncate(most);
        rows.extend(others);
        Self { rows, later }
    }
}
