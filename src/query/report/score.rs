//! How one score moved in a month.

use std::time::Duration;

use super::{DayValue, Month, ScoreMonth, Span};
use crate::domain::{Better, Sample, ScoreKind, SeriesId};

/// How far before the month its first value may lie.
pub(super) const LOOK_BACK: Duration = Duration::from_hours(7 * 24);

/// Where a score stands among a tenant's scores.
pub(super) fn place(of: &ScoreMonth) -> (usize, &str) {
    let kind = ScoreKind::ALL.iter().position(|kind| *kind == of.score).unwrap_or(usize::MAX);
    (kind, of.subject.as_deref().unwrap_or_default())
}

/// After this time, a value of a day is overdue.
const PUBLISHED_WITHIN: Duration = Duration::from_hours(24);

/// The value with which a month begins: the last one before it, as long as that is not too old.
pub(super) fn before<'a>(samples: &'a [Sample], span: &Span) -> Option<&'a Sample> {
    samples.iter().rfind(|sample| sample.at < span.from && sample.at >= span.from.minus(LOOK_BACK))
}

/// How a series moved; samples are oldest first. `None`: it has no value in the month.
pub(super) fn of(id: SeriesId<'_>, samples: &[Sample], span: &Span) -> Option<ScoreMonth> {
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
        missing_days: missing(id.score, before.is_some(), &days, span),
        days,
    })
}

/// How many days have no value: from the month's first, or the first on which the score is known, to the last that is over and on
/// which a record would have been published by now.
fn missing(score: ScoreKind, is_known_before: bool, days: &[DayValue], span: &Span) -> u8 {
    let overdue = span.until.minus(PUBLISHED_WITHIN.max(2 * score.record_interval()));
    let last = if Month::at(overdue, &span.zone) < span.month { 0 } else { span.zone.clock_at(overdue).day() };
    let first = if is_known_before { 1 } else { days.first().map_or(1, |day| day.day) };
    let missing = (first..=last).filter(|day| days.iter().all(|known| known.day != *day)).count();
    u8::try_from(missing).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::schedule::Zone;

    fn samples(rows: &[(&str, f64)]) -> Vec<Sample> {
        rows.iter().map(|(at, value)| Sample { at: Timestamp::parse(at).unwrap(), value: *value }).collect()
    }

    fn month(score: ScoreKind, rows: &[(&str, f64)]) -> Option<ScoreMonth> {
        let zone = Zone::built_in("Europe/Berlin").unwrap();
        let month: Month = "2026-11".parse().unwrap();
        let (from, until) = month.bounds(&zone).unwrap();
        of(SeriesId { score, subject: None }, &samples(rows), &Span { from, until, zone, month })
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
