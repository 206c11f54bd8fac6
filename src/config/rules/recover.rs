//! A rule's `recover:`: written → meant, and what fits its condition.

use super::{number, share};
use crate::{
    config::{
        raw::RawRecover,
        scope::{Problems, Scope},
    },
    domain::Complaint,
    rule::{Condition, Recover},
};

/// The maximum of scores that have one.
const MAXIMUM: f64 = 100.0;
/// By how much of its threshold an advised recovery lies beyond it.
const MARGIN: f64 = 0.05;

/// The recovery as it is meant, if it fits the condition.
pub(super) fn recovery(
    raw: RawRecover,
    when: Option<Condition>,
    at: &Scope<'_>,
    problems: &mut Problems,
) -> Option<Recover> {
    at.only(RawRecover::KEYS, problems);
    let given = [raw.above.is_written(), raw.below.is_written(), raw.regained.is_written()];
    if given == [false; 3] && problems.is_one_meant(at, &["above", "below", "regained"]) {
        return None;
    }
    if given.iter().filter(|given| **given).count() != 1 {
        problems.error(at, "`recover` has exactly one key", "write one of `above`, `below`, `regained`");
        return None;
    }
    let mark_above = problems.parse(raw.above, &at.key("above"), number).map(Recover::Above);
    let mark_below = problems.parse(raw.below, &at.key("below"), number).map(Recover::Below);
    let regained = problems.parse(raw.regained, &at.key("regained"), share).map(Recover::Regained);
    let recover = mark_above.or(mark_below).or(regained)?;
    let wrong = match (when?, recover) {
        (Condition::Below(bound), Recover::Above(mark)) if mark < bound => Some(Complaint::new(
            format!("`above: {mark}` is on the wrong side of `below: {bound}`"),
            format!("write `recover: {{ above: N }}` with N of {bound} or more"),
        )),
        (Condition::Above(bound), Recover::Below(mark)) if mark > bound => Some(Complaint::new(
            format!("`below: {mark}` is on the wrong side of `above: {bound}`"),
            format!("write `recover: {{ below: N }}` with N of {bound} or less"),
        )),
        (Condition::Below(_), Recover::Above(_))
        | (Condition::Above(_), Recover::Below(_))
        | (Condition::Drop(_), Recover::Regained(_) | Recover::Above(_))
        | (Condition::Rise(_), Recover::Regained(_) | Recover::Below(_)) => None,
        (Condition::Below(bound), _) => Some(Complaint::new(
            "this can't be the recovery of `below`",
            format!("write `recover: {{ above: {} }}`", above(bound)),
        )),
        (Condition::Above(bound), _) => Some(Complaint::new(
            "this can't be the recovery of `above`",
            format!("write `recover: {{ below: {} }}`", below(bound)),
        )),
        (Condition::NoData(_), _) => {
            Some(Complaint::new("`no_data` is over with the next reading", "delete `recover`"))
        }
        _ => Some(Complaint::new("this can't be the recovery of a change", "write `recover: { regained: 80% }`")),
    };
    if let Some(Complaint { what, instead }) = wrong {
        problems.error(at, what, instead);
        return None;
    }
    Some(recover)
}

/// A recovery that fits `below: bound`: a little higher, and not above the maximum of a score that may have one.
fn above(bound: f64) -> f64 {
    let higher = bound * (1.0 + MARGIN);
    let higher = if bound <= MAXIMUM { higher.min(f64::midpoint(bound, MAXIMUM)) } else { higher };
    rounded(higher).max(bound)
}

/// A recovery that fits `above: bound`: a little lower.
fn below(bound: f64) -> f64 {
    rounded(bound * (1.0 - MARGIN)).min(bound)
}

/// As people write a threshold.
fn rounded(value: f64) -> f64 {
    if value < MAXIMUM { (value * 10.0).round() / 10.0 } else { value.round() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advised_recovery_is_beyond_its_threshold_and_within_the_score() {
        for (bound, higher, lower) in [
            (300.0, 315.0, 285.0),
            (547.3, 575.0, 520.0),
            (30.0, 31.5, 28.5),
            (98.0, 99.0, 93.1),
            (100.0, 100.0, 95.0),
            (0.0, 0.0, 0.0),
        ] {
            assert_eq!((above(bound), below(bound)), (higher, lower), "{bound}");
        }
    }
}
