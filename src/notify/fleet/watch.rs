//! The settings of fleet shifts, and a shift as it is kept.

use std::time::Duration;

use super::{Quorum, Shift, due::WaitsFor};
use crate::{
    domain::Timestamp,
    notify::{Hold, NotificationId, NotificationType},
    rule::{Condition, Resolution, Rule},
};

/// How long a shift is joined by what comes late: records come days late, and a tenant may be unreadable for longer.
pub const REMEMBERED: Duration = Duration::from_hours(14 * 24);

/// How long notifications wait for the rest of the fleet, and how many tenants make a shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FleetSettings {
    /// How long notifications wait for the rest of the fleet, unless tenants are spread over longer; zero switches fleet shifts
    /// off.
    pub hold: Duration,
    /// Over how long the tenants of a tick are spread.
    pub spread: Duration,
    /// The fewest tenants whose movements make a shift.
    pub at_least: usize,
    /// The least share of the tenants read, above 0 and up to 100.
    pub share_percent: f64,
    /// Which shifts are accepted as the new level without asking.
    pub accept: Accept,
}

/// Which shifts are accepted as the new level without asking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Accept {
    /// Those of which the evidence proves that Microsoft changed the score.
    #[default]
    Proven,
    /// None of them: a person decides.
    Ask,
}

impl Default for FleetSettings {
    fn default() -> Self {
        Self {
            hold: Duration::from_mins(10),
            spread: Duration::ZERO,
            at_least: 10,
            share_percent: 33.0,
            accept: Accept::default(),
        }
    }
}

impl FleetSettings {
    /// How many tenants must have moved.
    #[must_use]
    pub const fn quorum(&self) -> Quorum {
        Quorum { at_least: self.at_least, share_percent: self.share_percent }
    }

    /// How long is waited for the rest of the fleet at most: the longer of `hold` and `spread`; zero: not at all.
    #[must_use]
    pub fn wait(&self) -> Duration {
        if self.hold.is_zero() { Duration::ZERO } else { self.hold.max(self.spread) }
    }

    /// Whether shifts are looked for among this many tenants.
    #[must_use]
    pub fn can_detect<T>(&self, mut polled: impl Iterator<Item = T>) -> bool {
        !self.hold.is_zero() && polled.nth(self.at_least.saturating_sub(1)).is_some()
    }

    /// Until when a notification waits for other tenants that may report the same thing; `None`: nothing does, or it is about its tenant
    /// alone. `polled` are those that are polled for the score.
    #[must_use]
    pub fn hold<T>(
        &self,
        kind: NotificationType,
        resolution: Option<Resolution>,
        rule: &Rule,
        polled: impl Iterator<Item = T>,
        now: Timestamp,
    ) -> Option<Hold> {
        let waits_for = WaitsFor::of(kind, resolution).filter(|_| takes_part(rule))?;
        self.can_detect(polled).then(|| waits_for.hold(self.wait(), now))
    }
}

/// Whether a rule takes part in fleet shifts.
#[must_use]
pub const fn takes_part(rule: &Rule) -> bool {
    rule.fleet && !matches!(rule.when, Condition::NoData(_))
}

/// A fleet shift that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownShift {
    /// Made from what moved, which way and when.
    pub id: String,
    /// The shift and its measurements.
    pub shift: Shift,
    /// When it was found.
    pub seen_at: Timestamp,
    /// When a notice of it was last queued; `None`: none was.
    pub notified_at: Option<Timestamp>,
}

impl KnownShift {
    /// A shift that is found now.
    #[must_use]
    pub fn found(store: &str, shift: Shift, now: Timestamp) -> Self {
        Self { id: shift_id(store, &shift), shift, seen_at: now, notified_at: None }
    }

    /// Whether what comes late must wait: its channels had a notice of this shift less than one wait ago.
    #[must_use]
    pub fn has_just_been_sent(&self, wait: Duration, now: Timestamp) -> bool {
        self.notified_at.is_some_and(|notified_at| notified_at < now && now < notified_at.plus(wait))
    }
}

/// The id of a shift: the same score, direction and time, the same shift.
#[must_use]
pub fn shift_id(store: &str, shift: &Shift) -> String {
    let category = shift.scope.category.as_ref().map_or("", |category| category.as_str());
    let parts = [
        "fleet",
        store,
        shift.scope.score.as_str(),
        category,
        if shift.is_fall() { "fall" } else { "rise" },
        &shift.span.from.to_string(),
    ];
    NotificationId::of_parts(&parts).as_str().to_owned()
}
