//! A second engine, slow and written differently, says when alerts fire and resolve: integers instead of floating point,
//! fractions multiplied out, and the whole past searched again at each reading instead of a state carried along.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::world::{World, kind, rule};
use crate::{
    domain::Timestamp,
    rule::{BaselineChoice, Change, Condition, Recover, Rule, Size},
};

/// Values are in tenths, times in minutes.
#[derive(Debug, Clone, Copy)]
enum Plain {
    Below { bound: i64, recover: i64 },
    Above { bound: i64, recover: i64 },
    Moved { down: bool, percent: bool, size: i64, within: i64, from: BaselineChoice, regained: Option<i64> },
}

/// Both intervals, in minutes.
const INTERVAL: i64 = 15;

/// A baseline as a fraction, so that an average is exact.
type Fraction = (i64, i64);

fn tenths(value: i64) -> f64 {
    f64::from(i32::try_from(value).unwrap()) / 10.0
}

impl Plain {
    fn rule(self, hold: i64) -> Rule {
        let minutes = |minutes: i64| Duration::from_mins(minutes.unsigned_abs());
        let (when, recover) = match self {
            Self::Below { bound, recover } => (Condition::Below(tenths(bound)), Some(Recover::Above(tenths(recover)))),
            Self::Above { bound, recover } => (Condition::Above(tenths(bound)), Some(Recover::Below(tenths(recover)))),
            Self::Moved { down, percent, size, within, from, regained } => {
                let size = if percent { Size::Percent(tenths(size * 10)) } else { Size::Points(tenths(size)) };
                let change = Change { size, within: minutes(within), from };
                let when = if down { Condition::Drop(change) } else { Condition::Rise(change) };
                (when, regained.map(|percent| Recover::Regained(tenths(percent * 10))))
            }
        };
        Rule { when, recover, hold: minutes(hold), ..rule("below 0") }
    }

    /// By how much `value` is worse than the fraction, times its denominator.
    fn lost(self, (whole, parts): Fraction, value: i64) -> i64 {
        let lost = whole - value * parts;
        if matches!(self, Self::Moved { down: false, .. }) { -lost } else { lost }
    }

    fn holds(self, baseline: Option<Fraction>, value: i64) -> bool {
        match (self, baseline) {
            (Self::Below { bound, .. }, _) => value < bound,
            (Self::Above { bound, .. }, _) => value > bound,
            (Self::Moved { .. }, None) => false,
            (Self::Moved { percent: true, size, .. }, Some(from)) => self.lost(from, value) * 100 >= size * from.0,
            (Self::Moved { size, .. }, Some(from)) => self.lost(from, value) >= size * from.1,
        }
    }

    /// `kept`: what a pending change was measured against when it began.
    fn baseline(self, past: &[(i64, i64)], at: i64, kept: Option<Fraction>) -> Option<Fraction> {
        let Self::Moved { down, within, from, .. } = self else { return None };
        let before: Vec<(i64, i64)> = past.iter().copied().filter(|&(time, _)| time < at).collect();
        let mut candidates: Vec<(i64, i64)> = before.iter().copied().filter(|&(time, _)| time + within >= at).collect();
        if candidates.is_empty() {
            candidates.extend(before.last());
        }
        let values: Vec<i64> = candidates.iter().map(|&(_, value)| value).collect();
        let last = *values.last()?;
        let own: Fraction = match from {
            BaselineChoice::Previous => (last, 1),
            BaselineChoice::Best if down => (values.iter().copied().fold(last, i64::max), 1),
            BaselineChoice::Best => (values.iter().copied().fold(last, i64::min), 1),
            BaselineChoice::Average => (values.iter().sum(), i64::try_from(values.len()).unwrap()),
        };
        let is_further = |kept: &Fraction| {
            let (kept, own) = (kept.0 * own.1, own.0 * kept.1);
            if down { kept > own } else { kept < own }
        };
        Some(kept.filter(is_further).unwrap_or(own))
    }

    /// `seen`: all values from the firing to now, the newest last.
    fn is_over(self, baseline: Option<Fraction>, seen: &[i64]) -> bool {
        let value = *seen.last().unwrap();
        match (self, baseline) {
            (Self::Below { recover, .. }, _) => value > recover && !self.holds(None, value),
            (Self::Above { recover, .. }, _) => value < recover && !self.holds(None, value),
            (Self::Moved { regained: Some(percent), .. }, Some(from)) => {
                let greatest = seen.iter().map(|&value| self.lost(from, value)).max().unwrap();
                (greatest - self.lost(from, value)) * 100 >= percent * greatest
            }
            _ => !self.holds(baseline, value),
        }
    }
}

/// Checks, an interval apart, that gave no reading between two that did.
fn missed(from: i64, until: i64) -> i64 {
    (until - from + INTERVAL - 1) / INTERVAL - 1
}

/// When alerts fire and resolve, by index into the series.
fn expected(plain: Plain, hold: i64, series: &[(i64, i64)]) -> Vec<(usize, &'static str)> {
    let mut notified = Vec::new();
    // The first reading that may be a baseline, and what pends: since when, and against what.
    let mut baseline_from = 0;
    let mut pending: Option<(i64, Option<Fraction>)> = None;
    let mut fired: Option<(usize, Option<Fraction>)> = None;
    for (now, &(at, value)) in series.iter().enumerate() {
        if let Some((start, baseline)) = fired {
            let seen: Vec<i64> = series[start..=now].iter().map(|&(_, value)| value).collect();
            if plain.is_over(baseline, &seen) {
                notified.push((now, "resolved"));
                (fired, pending) = (None, None);
                if matches!(plain, Plain::Moved { regained: Some(_), .. }) {
                    baseline_from = now;
                }
            }
            continue;
        }
        let past = &series[baseline_from..now.max(baseline_from)];
        let is_gap = now > 0 && missed(series[now - 1].0, at) > 3;
        let baseline = plain.baseline(past, at, pending.and_then(|(_, against)| against));
        if !plain.holds(baseline, value) {
            pending = None;
            continue;
        }
        let (since, against) = match pending {
            Some((since, against)) => (if is_gap { at } else { since }, against),
            None => (at, baseline),
        };
        if at - since >= hold {
            notified.push((now, "fired"));
            fired = Some((now, baseline));
        } else {
            pending = Some((since, against));
        }
    }
    notified
}

fn moved() -> impl Strategy<Value = Plain> {
    let from = select(vec![BaselineChoice::Best, BaselineChoice::Previous, BaselineChoice::Average]);
    let regained = option::of(select(vec![1i64, 50, 80, 100]));
    let size = select(vec![1i64, 5, 10, 25, 50]);
    (any::<bool>(), any::<bool>(), size, select(vec![5i64, 15, 60, 240, 1440]), from, regained).prop_map(
        |(down, percent, size, within, from, regained)| Plain::Moved { down, percent, size, within, from, regained },
    )
}

fn plain() -> impl Strategy<Value = Plain> {
    prop_oneof![
        1 => (280i64..320, 0i64..15).prop_map(|(bound, more)| Plain::Below { bound, recover: bound + more }),
        1 => (280i64..320, 0i64..15).prop_map(|(bound, less)| Plain::Above { bound, recover: bound - less }),
        4 => moved(),
    ]
}

/// Minutes since the reading before, and its value; `None`: the fetch failed.
fn series() -> impl Strategy<Value = Vec<(i64, Option<i64>)>> {
    let minutes = prop_oneof![4 => Just(15i64), 4 => select(vec![1, 5, 29, 30, 44, 45, 46, 60, 240, 1441])];
    let value = prop_oneof![3 => 250i64..350, 2 => select(vec![270i64, 297, 300, 303, 330, 333]), 1 => 1i64..600];
    vec((minutes, prop_oneof![1 => Just(None), 6 => value.prop_map(Some)]), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_engine_fires_and_resolves_when_a_naive_model_does(
        plain in plain(),
        hold in select(vec![0i64, 15, 30, 31, 90]),
        steps in series(),
    ) {
        let rule = plain.rule(hold);
        let mut world = World::polled_every(Duration::from_mins(INTERVAL.unsigned_abs()));
        let (mut at, mut readings, mut notified) = (0, Vec::new(), Vec::new());
        for (minutes, value) in steps {
            at += minutes;
            let step = world.step(&rule, Timestamp::from_seconds(at * 60), value.map(tenths));
            readings.extend(value.map(|value| (at, value)));
            let transition = step.transition.map(|transition| kind(transition.kind));
            notified.extend(transition.filter(|kind| *kind != "worsened").map(|kind| (readings.len() - 1, kind)));
        }
        prop_assert_eq!(notified, expected(plain, hold, &readings));
    }
}
