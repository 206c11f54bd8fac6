//! Thresholds and changes that a score can't reach.

use super::super::scope::{Problems, Scope};
use crate::{
    diagnostic::Warning,
    domain::{ScoreKind, Unit},
    rule::{Condition, Recover, Size},
};

/// Warns of a condition or recovery that always or never holds. `at` is the rule.
pub(super) fn check(
    kind: ScoreKind,
    when: Condition,
    recover: Option<Recover>,
    at: &Scope<'_>,
    problems: &mut Problems,
) {
    let range = kind.range();
    let (least, most) = (*range.start(), *range.end());
    let lies = match kind.unit() {
        Unit::Points => format!("`{kind}` is {least} or more"),
        Unit::PointsOf100 | Unit::Percent => format!("`{kind}` lies between {least} and {most}"),
    };
    let mut warn = |warning, parent: &str, key: &str, effect: &str| {
        let parent = at.key(parent);
        let instead = match warning {
            Warning::ChangeOutOfRange => "write a smaller change".to_owned(),
            Warning::ThresholdLooksLikeFraction => "write `60` for 60%".to_owned(),
            _ => format!("write a number that `{kind}` can have"),
        };
        problems.warning(warning, &parent.key(key), format!("{effect}: {lies}"), instead);
    };
    let threshold = Warning::ThresholdOutOfRange;
    match when {
        Condition::Below(bound) | Condition::Above(bound) if is_fraction(kind, bound) => {
            let key = if matches!(when, Condition::Below(_)) { "below" } else { "above" };
            warn(Warning::ThresholdLooksLikeFraction, "when", key, "this is less than one percent");
        }
        Condition::Below(bound) if bound > most => warn(threshold, "when", "below", "this always holds"),
        // Hardly any tenant has the best or the worst value that there is.
        Condition::Below(bound) if bound >= most => warn(threshold, "when", "below", "this practically always holds"),
        Condition::Above(bound) if bound <= least => warn(threshold, "when", "above", "this practically always holds"),
        Condition::Below(bound) if bound <= least => warn(threshold, "when", "below", "this never holds"),
        Condition::Above(bound) if bound >= most => warn(threshold, "when", "above", "this never holds"),
        Condition::Drop(change) => {
            let is_out = match change.size {
                Size::Percent(percent) => percent > 100.0,
                Size::Points(points) => points > most - least,
            };
            if is_out {
                warn(Warning::ChangeOutOfRange, "when", "drop", "no score can drop by that much");
            }
        }
        Condition::Rise(change) if matches!(change.size, Size::Points(points) if points > most - least) => {
            warn(Warning::ChangeOutOfRange, "when", "rise", "no score can rise by that much");
        }
        _ => {}
    }
    match recover {
        Some(Recover::Above(bound)) if bound >= most => warn(threshold, "recover", "above", "this is never reached"),
        Some(Recover::Below(bound)) if bound <= least => warn(threshold, "recover", "below", "this is never reached"),
        _ => {}
    }
}

/// Whether a threshold of a score from 0 to 100 looks like a share of one.
fn is_fraction(kind: ScoreKind, bound: f64) -> bool {
    kind.unit() != Unit::Points && bound > 0.0 && bound < 1.0
}
