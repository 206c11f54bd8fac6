//! How one score moved in a month.

use std::time::Duration;

use serde::Serialize;

use super::Span;
use crate::domain::{Better, Sample, ScoreKind, SeriesId, Timestamp};

/// How far before the month its first value may lie.
pub(super) const LOOK_BACK: Duration = Duration::from_hours(7 * 24);

/// How one score moved in a month. Values are in the score's own unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreMonth {
    /// The score.
    pub score: ScoreKind,
    /// Which of several values; text from outside.
    pub subject: Option<String>,
    /// The newest value of the month.
    pub value: f64,
    /// When that value was observed.
    pub observed_at: Timestamp,
    /// The value with which the month began; `None`: the first value lies within the month.
    pub before: Option<f64>,
    /// By how much the value moved since the month's beginning, or else since its first value.
    pub change: f64,
    /// Whether that was for the better; `None`: it did not move.
    pub is_better: Option<bool>,
    /// The lowest value of the month.
    pub lowest: f64,
    /// The highest value of the month.
    pub highest: f64,
    /// The last value of each day that has one, oldest first.
    pub days: Vec<DayValue>,
}

/// The last value of a day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DayValue {
    /// The day of the month, from 1 to 31.
    pub day: i8,
    /// The value, in the score's own unit.
    pub value: f64,
}

impl ScoreMonth {
    /// Where it stands among a tenant's scores.
    pub(super) fn place(&self) -> (usize, &str) {
        let kind = ScoreKind::ALL.iter().position(|kind| *kind == self.score).unwrap_or(usize::MAX);
        (kind, self.subject.as_deref().unwrap_or_default())
    }
}

/// The value with which a month begins: the last one before it, as long as that is not too old.
pub(super) fn before<'a>(samples: &'a [Sample], span: Span<'_>) -> Option<&'a Sample> {
    samples.iter().rfind(|sample| sample.at < span.from && sample.at >= span.from.minus(LOOK_BACK))
}

/// How a series moved; samples are oldest first. `None`: it has no value in the month.
pub(super) fn of(id: SeriesId<'_>, samples: &[Sample], span: Span<'_>) -> Option<ScoreMonth> {
    let within: Vec<&Sample> =
        samples.iter().filter(|sample| span.from <= sample.at && sample.at < span.until).collect();
    let (first, last) = (within.first()?, within.last()?);
    let before = before(samples, span).map(|sample| sample.value);
    let change = last.value - before.unwrap_or(first.value);
    let is_better = (change != 0.0).then(|| (change > 0.0) == (id.score.better() == Better::Higher));
    let values = || within.iter().map(|sample| sample.value);
    let mut days: Vec<DayValue> = Vec::with_capacity(31);
    for sample in &within {
        let day = DayValue { day: span.zone.clock_at(sample.at).day(), value: sample.value };
        match days.last_mut().filter(|last| last.day == day.day) {
            Some(last) => *last = day,
            None => days.push(day),
        }
    }
    Some(ScoreMonth {
        score: id.score,
        subject: id.subject.map(ToString::to_string),
        value: last.value,
        observed_at: last.at,
        before,
        change,
        is_better,
        lowest: values().fold(f64::INFINITY, f64::min),
        highest: values().fold(f64::NEG_INFINITY, f64::max),
        days,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Zone;

    fn samples(rows: &[(&str, f64)]) -> Vec<Sample> {
        rows.iter().map(|(at, value)| Sample { at: Timestamp::parse(at).unwrap(), value: *value }).collect()
    }

    fn month(score: ScoreKind, rows: &[(&str, f64)]) -> Option<ScoreMonth> {
        let zone = Zone::built_in("Europe/Berlin").unwrap();
        let (from, until) = "2026-11".parse::<super::super::Month>().unwrap().bounds(&zone).unwrap();
        of(SeriesId { score, subject: None }, &samples(rows), Span { from, until, zone: &zone })
    }

    #[test]
    fn a_month_is_compared_with_the_last_value_before_it() {
        use ScoreKind::{DeviceSecureScore as Device, ExposureScore as Exposure};
        for (score, rows, expected) in [
            (
                Device,
                &[("2026-10-31T22:00:00Z", 500.0), ("2026-11-03T12:00:00Z", 480.0)][..],
                Some((-20.0, Some(false))),
            ),
            (Exposure, &[("2026-10-31T22:00:00Z", 50.0), ("2026-11-03T12:00:00Z", 30.0)], Some((-20.0, Some(true)))),
            // Too old to begin the month with.
            (Device, &[("2026-10-20T00:00:00Z", 500.0), ("2026-11-03T12:00:00Z", 480.0)], Some((0.0, None))),
            (Device, &[("2026-11-02T00:00:00Z", 470.0), ("2026-11-03T12:00:00Z", 480.0)], Some((10.0, Some(true)))),
            // 1 December in Berlin.
            (Device, &[("2026-10-31T22:00:00Z", 500.0), ("2026-11-30T23:00:00Z", 480.0)], None),
            (Device, &[], None),
        ] {
            let month = month(score, rows);
            assert_eq!(month.map(|month| (month.change, month.is_better)), expected, "{rows:?}");
        }
    }

    #[test]
    fn each_day_has_its_last_value() {
        let rows = [
            ("2026-10-31T23:30:00Z", 1.0), // 1 November in Berlin
            ("2026-11-01T20:00:00Z", 2.0),
            ("2026-11-01T23:00:00Z", 3.0), // 2 November in Berlin
            ("2026-11-04T12:00:00Z", 4.0),
        ];
        let month = month(ScoreKind::DeviceSecureScore, &rows).unwrap();
        assert_eq!((month.lowest, month.highest), (1.0, 4.0));
        let days: Vec<_> = month.days.iter().map(|day| (day.day, day.value)).collect();
        assert_eq!(days, [(1, 2.0), (2, 3.0), (4, 4.0)]);
    }
}
