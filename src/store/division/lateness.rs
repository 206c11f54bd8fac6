//! How late checks begin. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// For how long a late check counts at least; at most twice as long.
const WINDOW: Duration = Duration::from_secs(30);

/// How late the checks of the last minute began.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    /// When the current window began; `None`: no check was noted.
    since: Option<Instant>,
    current: Duration,
    before: Duration,
}

impl Lateness {
    /// Notes a check that begins now, so long after it was due.
    pub(super) fn note(&mut self, late: Duration, now: Instant) {
        self.turn(now);
        self.since.get_or_insert(now);
        self.current = self.current.max(late);
    }

    /// How late they began at most; zero also if none did.
    pub(super) fn longest(&mut self, now: Instant) -> Duration {
        self.turn(now);
        self.current.max(self.before)
    }

    fn turn(&mut self, now: Instant) {
        let Some(since) = self.since.filter(|since| now.saturating_duration_since(*since) >= WINDOW) else { return };
        let next = since + WINDOW;
        if now.saturating_duration_since(next) < WINDOW {
            (self.since, self.before) = (Some(next), self.current);
        } else {
            (self.since, self.before) = (None, Duration::ZERO);
        }
        self.current = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_check_counts_for_at_least_half_a_minute_and_at_most_one() {
        let start = Instant::now();
        for (noted_at, asked_at, expected) in [
            (&[(0, 5)][..], 0, 5),
            (&[(0, 5)], 29, 5),
            (&[(0, 5)], 59, 5),
            (&[(0, 5)], 60, 0),
            (&[(0, 5)], 9_000, 0),
            (&[(0, 5), (10, 2)], 20, 5),
            (&[(0, 5), (40, 2)], 59, 5),
            (&[(0, 5), (40, 2)], 60, 2),
            (&[(0, 5), (40, 2)], 90, 0),
            (&[(0, 5), (100, 2)], 101, 2),
            (&[(29, 7)], 58, 7),
            (&[], 7, 0),
        ] {
            let mut lateness = Lateness::default();
            for (at, late) in noted_at {
                lateness.note(Duration::from_secs(*late), start + Duration::from_secs(*at));
            }
            let longest = lateness.longest(start + Duration::from_secs(asked_at));
            assert_eq!(longest.as_secs(), expected, "{noted_at:?} at {asked_at}");
        }
    }
}
