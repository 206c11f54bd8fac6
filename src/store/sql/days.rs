//! Moves completed UTC days out of a series' newest samples. Pure.

use std::time::Duration;

use crate::{
    domain::{Sample, Timestamp},
    rule::baseline::SAMPLES_KEPT_MIN,
};

const DAY_SECONDS: i64 = 86_400;

/// The UTC day of an instant: whole days since 1970-01-01.
pub(super) const fn day_of(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(DAY_SECONDS)
}

/// What a roll makes of a series.
#[derive(Debug, PartialEq)]
pub(super) struct Rolled {
    /// Completed days that were not archived yet, oldest first.
    pub(super) completed: Vec<(i64, Vec<Sample>)>,
    /// What stays in the window.
    pub(super) recent: Vec<Sample>,
    /// Samples up to here are archived now; `None`: none ever was.
    pub(super) archived_through: Option<Timestamp>,
}

/// Splits `samples` (oldest first) at the beginning of `today`. What is older than `keep` before the newest sample stays only as long
/// as it is not archived, or as one of the newest: a fall across a gap is measured against the last reading before it.
pub(super) fn roll(samples: &[Sample], archived_through: Option<Timestamp>, keep: Duration, today: i64) -> Rolled {
    let fresh = |sample: &&Sample| archived_through.is_none_or(|through| sample.at > through);
    let mut completed: Vec<(i64, Vec<Sample>)> = Vec::new();
    for sample in samples.iter().filter(fresh).filter(|sample| day_of(sample.at) < today) {
        match completed.last_mut() {
            Some((day, same)) if *day == day_of(sample.at) => same.push(*sample),
            _ => completed.push((day_of(sample.at), vec![*sample])),
        }
    }
    let newly = completed.last().and_then(|(_, samples)| samples.last()).map(|sample| sample.at);
    let archived_through = newly.or(archived_through);
    let horizon = samples.last().map_or(Timestamp::EPOCH, |newest| newest.at.minus(keep));
    let newest = samples.len().saturating_sub(SAMPLES_KEPT_MIN);
    let stays = |index: usize, sample: &Sample| {
        index >= newest || sample.at >= horizon || archived_through.is_none_or(|through| sample.at > through)
    };
    let recent = samples.iter().enumerate().filter(|(index, sample)| stays(*index, sample)).map(|(_, sample)| *sample);
    Rolled { completed, recent: recent.collect(), archived_through }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_hour(hour: i64) -> Sample {
        Sample { at: Timestamp::from_seconds(hour * 3600), value: 1.0 }
    }

    #[test]
    fn completed_days_are_moved_once_and_the_window_keeps_its_reach() {
        let samples: Vec<_> = [1, 20, 30, 47, 49].map(at_hour).to_vec();
        let first = roll(&samples, None, Duration::from_hours(20), 2);
        assert_eq!(first.completed, [(0, [1, 20].map(at_hour).to_vec()), (1, [30, 47].map(at_hour).to_vec())]);
        assert_eq!(first.recent, [30, 47, 49].map(at_hour));
        let narrow = roll(&samples, None, Duration::ZERO, 2);
        assert_eq!(narrow.recent, [30, 47, 49].map(at_hour), "the newest stay, however old");
        assert_eq!(first.archived_through, Some(at_hour(47).at));
        let again = roll(&first.recent, first.archived_through, Duration::from_hours(20), 2);
        assert_eq!(again.completed, []);
        assert_eq!(again.recent, first.recent);
    }

    #[test]
    fn a_late_sample_of_a_completed_day_waits_for_the_next_roll_even_outside_the_window() {
        let samples = [30, 60, 61, 62].map(at_hour);
        let rolled = roll(&samples, Some(at_hour(20).at), Duration::ZERO, 1);
        assert_eq!(rolled.completed, []);
        assert_eq!(rolled.recent, samples);
        let next = roll(&rolled.recent, rolled.archived_through, Duration::ZERO, 2);
        assert_eq!(next.completed, [(1, vec![at_hour(30)])]);
        assert_eq!(next.recent, [60, 61, 62].map(at_hour));
    }

    #[test]
    fn days_before_the_epoch_are_days_too() {
        assert_eq!([day_of(Timestamp::from_seconds(-1)), day_of(Timestamp::EPOCH)], [-1, 0]);
    }
}
