//! Which checks of a tenant were due in a time, our own downtime left out. Pauses of the schedule have none.

use std::time::Duration;

use super::Schedule;
use crate::domain::Timestamp;

/// A period in which nobody could check: from and until, both included.
pub type Downtime = (Timestamp, Timestamp);

/// The first check after `after` that is due at a time when we were not down. `downtimes` are ordered by their beginning.
#[must_use]
pub fn next_check(
    schedule: &Schedule,
    phase: Duration,
    after: Timestamp,
    downtimes: impl IntoIterator<Item = Downtime>,
) -> Option<Timestamp> {
    let mut due = schedule.next_due(after, phase)?;
    for (from, until) in downtimes {
        if from <= due && due <= until {
            due = schedule.next_due(until, phase)?;
        }
    }
    Some(due)
}

/// How many checks were due in `(after, until]` at times when we were not down; counted up to `at_most`.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "an iterator that is cloned for each check is cheap to give away")]
pub fn checks_between(
    schedule: &Schedule,
    phase: Duration,
    after: Timestamp,
    until: Timestamp,
    downtimes: impl IntoIterator<Item = Downtime> + Clone,
    at_most: u32,
) -> u32 {
    let next = |after: &Timestamp| next_check(schedule, phase, *after, downtimes.clone());
    let checks = std::iter::successors(next(&after), next).take_while(|due| *due <= until);
    checks.zip(0..at_most).fold(0, |count, _| count + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("2026-01-{text}:00Z")).unwrap()
    }

    fn count(expression: &str, after: &str, until: &str, downtimes: &[(&str, &str)]) -> u32 {
        let schedule = Schedule::parse(expression, "UTC".parse().unwrap()).unwrap();
        let downtimes: Vec<_> = downtimes.iter().map(|(from, until)| (at(from), at(until))).collect();
        checks_between(&schedule, Duration::from_secs(7), at(after), at(until), downtimes, 100)
    }

    #[test]
    fn checks_are_counted_by_the_schedule_and_not_by_elapsed_time() {
        for (expression, after, until, expected) in [
            ("0 */15 * * * *", "05T00:01", "05T01:01", 4),
            ("0 */15 * * * *", "05T01:01", "05T00:01", 0),
            ("0 0 0 * * *", "05T00:01", "05T23:59", 0),
            ("0 0 0 * * *", "05T00:01", "08T00:01", 3),
            // Business hours: from Friday evening to Monday morning.
            ("0 */15 8-17 * * MON-FRI", "09T17:46", "12T07:59", 0),
            ("0 */15 8-17 * * MON-FRI", "09T17:46", "12T08:01", 1),
            ("0 */15 * * * *", "05T00:01", "25T00:01", 100),
        ] {
            assert_eq!(count(expression, after, until, &[]), expected, "{expression} {after} {until}");
        }
    }

    #[test]
    fn what_was_due_while_we_were_down_is_nobodys_miss() {
        let every = "0 */15 * * * *";
        assert_eq!(count(every, "05T00:01", "05T06:01", &[("05T00:02", "05T05:50")]), 1);
        assert_eq!(count(every, "05T00:01", "05T06:01", &[("05T00:02", "05T02:10"), ("05T02:20", "05T05:50")]), 2);
        assert_eq!(count(every, "05T00:01", "05T06:01", &[("05T00:02", "05T09:00")]), 0);
        assert_eq!(count(every, "05T00:01", "05T01:01", &[("04T00:02", "04T09:00"), ("06T00:00", "06T01:00")]), 4);
    }
}
