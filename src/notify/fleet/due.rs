//! When can be decided whether something is part of a shift: once every tenant that was due has been read, at the latest when
//! the wait is over. Pure.

use std::time::Duration;

use crate::{
    domain::{TenantId, Timestamp},
    notify::{Hold, HoldReason, NotificationType, release::HeldDelivery},
    rule::Resolution,
};

/// Alerts that a person accepts together are accepted one after the other; they wait so long for each other at most.
pub const ACCEPTED_WAIT: Duration = Duration::from_secs(10);

/// Which notifications wait for the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// The readings of all tenants that are due.
    Readings,
    /// The wakes of all tenants that are due: reminders and escalations come of time alone.
    Wakes,
    /// A time that all have in common: what one notice covered is accepted at the pace at which it was read.
    Time,
}

impl WaitsFor {
    /// What a notification waits for in a fleet; `None`: nothing.
    #[must_use]
    pub const fn of(kind: NotificationType, resolution: Option<Resolution>) -> Option<Self> {
        match (kind, resolution) {
            (NotificationType::AlertFiring | NotificationType::AlertWorsened | NotificationType::AlertUnstable, _)
            | (NotificationType::AlertResolved, Some(Resolution::Recovered) | None) => Some(Self::Readings),
            (NotificationType::AlertReminder | NotificationType::AlertEscalated, _) => Some(Self::Wakes),
            (NotificationType::AlertResolved, Some(Resolution::Accepted)) => Some(Self::Time),
            _ => None,
        }
    }

    /// How long it waits at most, where the fleet's wait is that.
    #[must_use]
    pub fn hold(self, wait: Duration, now: Timestamp) -> Hold {
        let until = if self == Self::Time { now.next_multiple_of(wait) } else { now.plus(wait) };
        Hold { why: HoldReason::Fleet, until }
    }
}

/// When one tenant was last checked and is due next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The tenant that moved, by slug.
    pub tenant: TenantId,
    /// The tick of its schedule that its next check is for: the check itself comes up to `spread` later.
    pub next_tick_at: Timestamp,
    /// When its alerts are evaluated though no check is due.
    pub wake_at: Option<Timestamp>,
    /// When it was last checked.
    pub checked_at: Option<Timestamp>,
}

/// What can be decided. Two questions are asked of what waits for readings. Whether it is part of a shift can be said once every
/// tenant that was due has been read. That it is part of none can be said once, in addition, nobody else is read before its wait is
/// over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decidable {
    /// The earliest tick for which a tenant is still to be read.
    pub next_tick_at: Timestamp,
    /// The earliest wake that is still to come.
    pub next_wake_at: Timestamp,
    /// How long is waited at most.
    pub wait: Duration,
}

impl Decidable {
    /// Nothing, unless its wait is over.
    pub const NONE: Self = Self { next_tick_at: FIRST, next_wake_at: FIRST, wait: Duration::MAX };
    /// Everything: nobody needs to be waited for.
    pub const ALL: Self = Self { next_tick_at: LAST, next_wake_at: LAST, wait: Duration::ZERO };

    /// Whether every tenant that was due when something was made has been read, or its wait is over.
    #[must_use]
    pub fn is_read(&self, made_at: Timestamp, now: Timestamp) -> bool {
        made_at < self.next_tick_at || made_at.plus(self.wait) <= now
    }

    /// Whether nobody else is read before the wait for something is over.
    #[must_use]
    pub fn is_final(&self, made_at: Timestamp, now: Timestamp) -> bool {
        let over_at = made_at.plus(self.wait);
        over_at <= now || over_at <= self.next_tick_at && made_at < self.next_tick_at
    }

    /// No later than this was anything made whose time has not come and that can be decided on all the same.
    #[must_use]
    pub fn made_before(&self) -> Timestamp {
        self.next_tick_at.max(self.next_wake_at)
    }

    /// Whether something that is held is to be looked at now: its time has come; or it waits for the fleet, and everybody whom it
    /// waits for was read. What a person accepted waits for its time.
    #[must_use]
    pub fn is_due(&self, hold: Hold, waits_for: Option<WaitsFor>, made_at: Timestamp, now: Timestamp) -> bool {
        let is_complete = match waits_for {
            Some(WaitsFor::Wakes) => made_at < self.next_wake_at,
            Some(WaitsFor::Time) => false,
            Some(WaitsFor::Readings) | None => made_at < self.next_tick_at,
        };
        is_over(hold, made_at, now) || hold.why == HoldReason::Fleet && is_complete
    }

    /// Whether a run of held notifications can be decided on: as part of a shift; and as part of none.
    #[must_use]
    pub fn of_run(&self, steps: &[HeldDelivery], now: Timestamp) -> (bool, bool) {
        let mut found = (false, false);
        for step in steps {
            let Some(hold) = step.hold else { continue };
            let resolution = step.is_accepted.then_some(Resolution::Accepted);
            let is_over = is_over(hold, step.made_at, now);
            let (is_read, is_final) = match WaitsFor::of(step.kind, resolution) {
                _ if is_over || hold.why != HoldReason::Fleet => (is_over, is_over),
                Some(WaitsFor::Readings) => (self.is_read(step.made_at, now), self.is_final(step.made_at, now)),
                Some(WaitsFor::Wakes) => (step.made_at < self.next_wake_at, step.made_at < self.next_wake_at),
                _ => (false, false),
            };
            found = (found.0 || is_read, found.1 || is_final);
        }
        found
    }

    /// What the tenants' turns allow. A tenant whose tick has come and that was not checked since is waited for.
    #[must_use]
    pub fn of(turns: impl Iterator<Item = Turn>, wait: Duration) -> Self {
        let mut decidable = Self { wait, ..Self::ALL };
        for turn in turns {
            let is_read = turn.checked_at.is_some_and(|at| at >= turn.next_tick_at);
            if !is_read {
                decidable.next_tick_at = decidable.next_tick_at.min(turn.next_tick_at);
            }
            if let Some(wake_at) = turn.wake_at {
                decidable.next_wake_at = decidable.next_wake_at.min(wake_at);
            }
        }
        decidable
    }
}

/// Whether the wait is over. What a clock that was ahead has made would otherwise wait until this one is there.
fn is_over(hold: Hold, made_at: Timestamp, now: Timestamp) -> bool {
    let is_of_the_future = made_at > now && matches!(hold.why, HoldReason::Fleet | HoldReason::Outage);
    hold.until <= now || is_of_the_future
}

/// A time before all readings.
const FIRST: Timestamp = Timestamp::from_nanos(i64::MIN);
/// A time after all readings.
const LAST: Timestamp = Timestamp::from_nanos(i64::MAX);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(minutes * 60)
    }

    #[test]
    fn what_was_made_before_a_tick_that_somebody_has_still_to_be_read_for_can_be_decided() {
        for (next_tick, checked, expected, why) in [
            (15, 0, 15, "its next tick is yet to come"),
            (0, -15, 0, "its tick has come, and its check has not"),
            (0, 7, 15, "it was checked since, out of its turn"),
            (-60, -75, -60, "it is overdue for longer"),
        ] {
            let turn = |tick, checked| Turn {
                tenant: TenantId::parse("t").unwrap(),
                next_tick_at: at(tick),
                wake_at: None,
                checked_at: Some(at(checked)),
            };
            let others = [turn(15, 3), turn(1440, -1437)];
            let found = Decidable::of(others.into_iter().chain([turn(next_tick, checked)]), Duration::from_mins(10));
            assert_eq!(found.next_tick_at, at(expected), "{why}");
        }
    }

    #[test]
    fn what_time_accepts_within_one_wait_is_decided_at_one_instant() {
        let wait = Duration::from_mins(10);
        for (made, until) in [(0, 10), (1, 10), (9, 10), (10, 20), (-1, 0)] {
            assert_eq!(WaitsFor::Time.hold(wait, at(made)).until, at(until), "{made}");
        }
        assert_eq!(WaitsFor::Time.hold(Duration::ZERO, at(3)).until, at(3));
    }

    #[test]
    fn that_it_is_part_of_no_shift_takes_that_nobody_else_is_read_in_time() {
        let decidable = Decidable { next_tick_at: at(15), next_wake_at: at(15), wait: Duration::from_mins(10) };
        for (made, now, is_read, is_final, why) in [
            (3, 10, true, true, "nobody is read before minute 13"),
            (5, 10, true, true, "nor before minute 15"),
            (6, 10, true, false, "others are read from minute 15 on, and it waits until minute 16"),
            (6, 16, true, true, "its wait is over"),
            (15, 20, false, false, "its tick is being read"),
            (15, 25, true, true, "and its wait is over"),
        ] {
            assert_eq!(decidable.is_read(at(made), at(now)), is_read, "{why}");
            assert_eq!(decidable.is_final(at(made), at(now)), is_final, "{why}");
        }
    }

    #[test]
    fn what_is_held_is_looked_at_in_its_time_and_what_waits_for_the_fleet_once_that_was_read() {
        let decidable = Decidable { next_tick_at: at(15), next_wake_at: at(20), wait: Duration::from_mins(10) };
        let (readings, wakes, time) = (Some(WaitsFor::Readings), Some(WaitsFor::Wakes), Some(WaitsFor::Time));
        for (why, until, waits_for, made, expected, because) in [
            (HoldReason::Silence, 30, readings, 3, true, "its time has come"),
            (HoldReason::Silence, 31, readings, 3, false, "a silence ends in its time"),
            (HoldReason::LateSilence, 31, readings, 3, false, "a late one, too"),
            (HoldReason::Fleet, 99, readings, 45, true, "it was made by a clock that was ahead"),
            (HoldReason::Outage, 99, readings, 45, true, "so was this"),
            (HoldReason::Silence, 99, readings, 45, false, "a silence ends in its time, whoever made it"),
            (HoldReason::Fleet, 31, readings, 14, true, "everybody was read since"),
            (HoldReason::Fleet, 31, readings, 15, false, "somebody has still to be read"),
            (HoldReason::Fleet, 31, None, 14, true, "what waits for nothing is looked at, too"),
            (HoldReason::Fleet, 31, wakes, 19, true, "everybody was woken since"),
            (HoldReason::Fleet, 31, wakes, 20, false, "somebody has still to be woken"),
            (HoldReason::Fleet, 31, time, 3, false, "what was accepted waits for its time"),
            (HoldReason::Fleet, 30, time, 3, true, "which has come"),
        ] {
            let hold = Hold { why, until: at(until) };
            assert_eq!(decidable.is_due(hold, waits_for, at(made), at(30)), expected, "{because}");
        }
    }
}
