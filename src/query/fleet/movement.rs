//! How one score of a tenant has moved. Pure.

use std::time::Duration;

use serde::Serialize;

use crate::{
    domain::{Averages, Better, Sample, ScoreKind, Timestamp},
    rule::{ShiftedBy, shift::adjusted},
};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const WEEK: Duration = Duration::from_hours(7 * 24);
const MONTH: Duration = Duration::from_hours(30 * 24);
/// Back to here one sample an hour is kept; before, one a day.
const HOURLY: Duration = Duration::from_hours(50);
/// A sample that is older than what is asked for by more than this does not stand for it.
const TOLERANCE: Duration = Duration::from_hours(36);

/// A score of a tenant, and how it has moved.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FleetScore {
    /// The kind of score that it is about.
    pub kind: ScoreKind,
    /// The newest value, in the score's own unit.
    pub value: f64,
    /// When it was observed: of a daily record, its day.
    pub observed_at: Timestamp,
    /// By how much it has risen (negative: fallen) within the last 24 hours before that; `None`: there is nothing to compare with.
    pub day: Option<f64>,
    /// How much of that a fleet shift accounts for: such a movement is not the tenant's own; `None`: none does.
    pub day_by_shift: Option<f64>,
    /// The same as `day` within 7 days.
    pub week: Option<f64>,
    /// The same within 30 days.
    pub month: Option<f64>,
    /// By how much it is above (negative: below) the median of the tenants of the scope.
    pub from_median: Option<f64>,
    /// What Microsoft says of other tenants beside it; null: it says so of the secure score alone, or nothing is known.
    pub averages: Option<Averages>,
    /// One value for each of the last 30 days that has one, oldest first; the newest value is the last.
    pub points: Vec<Sample>,
}

impl FleetScore {
    /// Of samples that are ordered by time; `None`: there are none. `shifts`: what fleet shifts did to them, likewise.
    pub(super) fn of(kind: ScoreKind, samples: &[Sample], shifts: &[ShiftedBy]) -> Option<Self> {
        let newest = *samples.last()?;
        let change = |span| before(samples, newest.at.minus(span)).map(|then| newest.value - then.value);
        let by_shift = before(samples, newest.at.minus(DAY)).filter(|_| !shifts.is_empty()).and_then(|then| {
            let moved = adjusted(then, shifts, newest.at.plus(Duration::from_nanos(1))) - then.value;
            (moved != 0.0).then_some(moved)
        });
        Some(Self {
            kind,
            value: newest.value,
            observed_at: newest.at,
            day: change(DAY),
            day_by_shift: by_shift,
            week: change(WEEK),
            month: change(MONTH),
            from_median: None,
            averages: None,
            points: Vec::new(),
        })
    }

    /// With its points, of the same samples.
    pub(super) fn draw(&mut self, samples: &[Sample]) {
        self.points = thin(samples, self.observed_at.minus(MONTH), |_| DAY);
    }

    /// By how much it has risen within 24 hours on its own account: what a fleet shift did to it left out.
    #[must_use]
    pub fn own_day(&self) -> Option<f64> {
        Some(self.day? - self.day_by_shift.unwrap_or_default())
    }

    /// By how many points it got worse by a change; negative: it got better.
    #[must_use]
    pub fn loss(&self, change: f64) -> f64 {
        match self.kind.better() {
            Better::Higher => -change,
            Better::Lower => change,
        }
    }
}

/// The sample that held at that time.
fn before(samples: &[Sample], at: Timestamp) -> Option<Sample> {
    let index = samples.partition_point(|sample| sample.at <= at);
    let found = samples.get(index.checked_sub(1)?)?;
    (at.since(found.at) <= TOLERANCE).then_some(*found)
}

/// From when on fleet shifts are needed: of what was read longer ago, no day is news.
pub(super) fn shift_horizon(now: Timestamp) -> Timestamp {
    now.minus(WEEK)
}

/// From when on samples are needed.
pub(super) fn horizon(now: Timestamp) -> Timestamp {
    now.minus(MONTH + DAY + TOLERANCE)
}

/// What a glance needs of samples that are ordered by time.
pub(super) fn thinned(samples: &[Sample], now: Timestamp) -> Vec<Sample> {
    let fine = now.minus(HOURLY);
    let mut kept = thin(samples, horizon(now), |at| if at >= fine { HOUR } else { DAY });
    // They are kept for as long as the service runs.
    kept.shrink_to_fit();
    kept
}

/// The last sample of each stretch of that length. What was observed just at its end belongs to it, so that a value which is asked for
/// by whole hours or days before a whole hour is there.
fn thin(samples: &[Sample], from: Timestamp, length: impl Fn(Timestamp) -> Duration) -> Vec<Sample> {
    let mut kept: Vec<(Timestamp, Sample)> = Vec::new();
    for sample in samples.iter().filter(|sample| sample.at >= from) {
        let end = sample.at.minus(Duration::from_secs(1)).next_multiple_of(length(sample.at));
        match kept.last_mut() {
            Some((same, last)) if *same == end => *last = *sample,
            _ => kept.push((end, *sample)),
        }
    }
    kept.into_iter().map(|(_, sample)| sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Amount;

    fn every_quarter_of_an_hour(days: i32, value: impl Fn(i32) -> f64) -> Vec<Sample> {
        (0..=days * 96)
            .map(|number| Sample { at: Timestamp::from_seconds(i64::from(number) * 900), value: value(number / 96) })
            .collect()
    }

    #[test]
    fn changes_are_those_since_the_value_that_held_then() {
        let samples = every_quarter_of_an_hour(40, |day| 100.0 + f64::from(day));
        let now = samples.last().unwrap().at;
        let mut score = FleetScore::of(ScoreKind::DeviceSecureScore, &thinned(&samples, now), &[]).unwrap();
        score.draw(&thinned(&samples, now));
        assert_eq!((score.value, score.day, score.week, score.month), (140.0, Some(1.0), Some(7.0), Some(30.0)));
        assert_eq!(score.points.len(), 31);
        assert!((score.loss(-3.0) - 3.0).abs() < f64::EPSILON);
        assert!(thinned(&samples, now).len() < 90);
    }

    #[test]
    fn what_a_fleet_shift_did_within_a_day_is_counted_apart() {
        let at = |hours: i64, value| Sample { at: Timestamp::from_seconds(hours * 3600), value };
        let samples = [at(0, 400.0), at(12, 400.0), at(24, 400.0), at(30, 360.0), at(40, 350.0)];
        for (hour, percent, own) in
            [(30, -10.0, Some(-10.0)), (40, -2.5, Some(-40.0)), (10, -10.0, None), (41, -10.0, None)]
        {
            let shift = ShiftedBy { at: Timestamp::from_seconds(hour * 3600), by: Amount::Percent(percent) };
            let score = FleetScore::of(ScoreKind::DeviceSecureScore, &samples, &[shift]).unwrap();
            assert_eq!(score.day, Some(-50.0));
            assert_eq!(score.day_by_shift.is_some(), own.is_some(), "a shift at {hour} h");
            assert_eq!(score.own_day(), own.or(Some(-50.0)), "a shift at {hour} h");
        }
    }

    #[test]
    fn what_is_too_old_is_compared_with_nothing() {
        let at = |hours: i64, value| Sample { at: Timestamp::from_seconds(hours * 3600), value };
        let samples = [at(0, 1.0), at(24 * 4, 2.0), at(24 * 5, 3.0)];
        let score = FleetScore::of(ScoreKind::ExposureScore, &samples, &[]).unwrap();
        assert_eq!((score.day, score.week, score.month), (Some(1.0), None, None));
        assert!((score.loss(1.0) - 1.0).abs() < f64::EPSILON, "less exposure is better");
        assert_eq!(FleetScore::of(ScoreKind::ExposureScore, &[], &[]), None);
    }
}
