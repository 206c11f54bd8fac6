//! One value of a score at one instant: as its source gave it, and as the store keeps it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ScoreKind, Subject, TenantId, Timestamp};

/// One value of a score as its source gave it. The value is finite: missing is never zero, and never a reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The kind of score that was measured.
    pub score: ScoreKind,
    /// Which of several values of that kind.
    pub subject: Option<Subject>,
    /// The source's own time of the value.
    pub sample: Sample,
    /// The points that a percentage was made from.
    pub points: Option<Points>,
}

/// Points that stand behind a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Points {
    /// How many there are.
    pub earned: f64,
    /// How many there could be; Microsoft moves it.
    pub of: f64,
}

/// One value at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Sample {
    /// The source's own time of the value.
    pub at: Timestamp,
    /// Finite, at the source's full precision, in the kind's unit.
    pub value: f64,
}

/// One series of a tenant: a score, and where the kind has several values, which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId<'a> {
    /// The kind of score that is measured.
    pub score: ScoreKind,
    /// Which of several values of that kind.
    pub subject: Option<&'a Subject>,
}

impl SeriesId<'_> {
    /// The same series among those of all tenants.
    #[must_use]
    pub fn of(self, tenant: &TenantId) -> SeriesKey {
        SeriesKey { tenant: tenant.clone(), score: self.score, subject: self.subject.cloned() }
    }
}

/// Which series of samples: one score of one tenant, and where the kind has several values, which of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// The tenant that the score belongs to.
    pub tenant: TenantId,
    /// The kind of score that is measured.
    pub score: ScoreKind,
    /// Which of several values of that kind.
    pub subject: Option<Subject>,
}
