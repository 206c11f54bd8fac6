//! What an alert is judged by: what happened, and what else is known.

use std::time::Duration;

use serde::Serialize;

use super::Unread;
use crate::domain::{Sample, ScoreKind, Timestamp};

/// What happened to the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A new reading came.
    Reading(Sample),
    /// Time passed without a new reading: a failed check, a reminder or an expiry that is due.
    Tick,
}

/// What a step may look at in addition to the alert itself.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationContext<'a> {
    /// The wall clock: for `no_data`, `repeat` and `accept_after` only. Windows and `for` go by the readings' own times.
    pub now: Timestamp,
    /// The samples before the new reading, oldest first, at least as far back as any rule looks.
    pub window: &'a [Sample],
    /// How far apart two new readings are at best around now: the time between two scheduled checks, or the source's own interval
    /// where that is longer (a day for daily records). Only for what messages call a gap.
    pub source_interval: Duration,
    /// How many scheduled checks gave no reading (missed or failed) since the reading before; our own downtime apart. More than
    /// [`MISSED_MAX`] start `for` again.
    pub missed_checks: u32,
    /// Samples from before this source time were imported when the series was onboarded: they are not a baseline.
    pub onboarded_at: Option<Timestamp>,
    /// The scores that a `no_data` rule watches; any other rule looks at none.
    pub feeds: &'a [Feed],
    /// When the newest notification of this alert became final (delivered, or dead); `None` while one is still on its way or none was made.
    pub notified_at: Option<Timestamp>,
    /// From when on its newest notification could be sent to some channel; `None`: it is held, or it is final.
    pub sendable_since: Option<Timestamp>,
    /// Whether a person has seen it: no reminder is made meanwhile, and it is not escalated.
    pub is_acknowledged: bool,
    /// Whether the newest notification of this alert is still on its way: nobody was notified of it yet; it may be held, queued or being sent.
    pub is_on_its_way: bool,
    /// Whether the newest notification of this alert can be taken back: nobody has tried to send it to any channel.
    pub can_be_withdrawn: bool,
    /// What known fleet shifts did to this series, ordered by time: samples from before count as moved.
    pub shifts: &'a [ShiftedBy],
}

impl EvaluationContext<'_> {
    /// From when on `repeat` counts: from the newest notification, unless a person has seen the alert.
    #[must_use]
    pub fn reminded_from(&self) -> Option<Timestamp> {
        self.notified_at.filter(|_| !self.is_acknowledged)
    }
}

/// How many scheduled checks may give no reading before what happened between two readings is unknown and `for` starts again.
pub const MISSED_MAX: u32 = 3;

/// One score as a `no_data` rule sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// The kind of score that this is about.
    pub score: ScoreKind,
    /// When its data was last read, by the wall clock; now, if this check has read some.
    pub last_data: Timestamp,
    /// How much of the time since then we ourselves were down; that counts against nobody.
    pub downtime: Duration,
    /// From when on a scheduled check has been missed or has failed since then, if nothing comes before; `None`: none is scheduled.
    pub missed_at: Option<Timestamp>,
    /// Whether this check has read it.
    pub is_read: bool,
}

impl Feed {
    /// When it will have given no data for that long and a scheduled check will have been missed or have failed: the later of the
    /// two. `None`: not as long as no check is scheduled.
    #[must_use]
    pub fn holds_at(&self, duration: Duration) -> Option<Timestamp> {
        self.missed_at.map(|missed_at| missed_at.max(self.last_data.plus(duration).plus(self.downtime)))
    }

    /// Whether that is so now.
    #[must_use]
    pub fn holds(&self, duration: Duration, now: Timestamp) -> bool {
        !self.is_read && self.holds_at(duration).is_some_and(|at| now >= at)
    }

    pub(super) const fn unread(&self) -> Unread {
        Unread { score: self.score, since: self.last_data }
    }
}

/// What one fleet shift did to one series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ShiftedBy {
    /// The time of the first reading that shows it.
    pub at: Timestamp,
    /// By how much, in the measure of the score; negative: it fell.
    pub by: Amount,
}

/// An amount in the measure in which moves of a score are compared between tenants.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Percent of what the score was.
    Percent(f64),
    /// Points of a score that is a percentage itself.
    Points(f64),
}

impl Amount {
    /// Whether the score rose.
    #[must_use]
    pub fn is_up(self) -> bool {
        match self {
            Self::Percent(amount) | Self::Points(amount) => amount > 0.0,
        }
    }

    /// The value after a move by this amount.
    ///
    /// ```
    /// use scorewatch::rule::Amount;
    ///
    /// assert_eq!(Amount::Percent(-10.0).applied_to(400.0), 360.0);
    /// assert_eq!(Amount::Points(-2.5).applied_to(52.0), 49.5);
    /// ```
    #[must_use]
    pub fn applied_to(self, value: f64) -> f64 {
        match self {
            Self::Percent(percent) => value * (1.0 + percent / 100.0),
            Self::Points(points) => value + points,
        }
    }
}
