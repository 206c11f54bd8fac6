//! Which bound or size makes a rule fire as often as is wanted.

use std::sync::Arc;

use serde::Serialize;

use super::Span;
use crate::{
    cli::{Failure, output},
    replay::{Course, Fleet, Plan, many::walk_all},
    rule::{Change, Condition, Rule, Size, TransitionKind, display},
};

/// What a size is tried at, as a share of what the rule says.
const SHARES: [f64; 11] = [0.2, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0];
/// What a bound is tried at; a bound moves little before everything or nothing is beyond it.
const BOUND_SHARES: [f64; 11] = [0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.35, 1.5];

/// How often a rule would fire with another number.
#[derive(Debug, Serialize)]
struct Try {
    rule: String,
    condition: String,
    firing: usize,
    per_week: f64,
    /// Whether it is the one written.
    written: bool,
    /// Whether it comes nearest to what is wanted.
    proposed: bool,
}

/// Reads `3/week`.
pub(super) fn wanted(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/week").and_then(|number| number.parse::<f64>().ok());
    number.filter(|number| number.is_finite() && *number > 0.0).ok_or_else(|| "write it like `3/week`".to_owned())
}

/// Tries each rule with a number of bounds or sizes, and shows how often each would have fired.
pub(super) fn suggest(plan: &Plan, courses: &[Course], span: Span, wanted: f64, as_json: bool) -> Result<(), Failure> {
    let weeks = span.until.since(span.since).as_secs_f64() / (7.0 * 86_400.0);
    let numeric: Vec<&Arc<Rule>> =
        plan.rules.iter().filter(|rule| !matches!(rule.when, Condition::NoData(_))).collect();
    let bar = output::progress(numeric.len() * SHARES.len() * courses.len());
    let mut tries: Vec<Try> = Vec::new();
    for rule in numeric {
        let from = tries.len();
        let shares = if rule.when.change().is_some() { SHARES } else { BOUND_SHARES };
        for share in shares {
            let candidate = scaled(rule, share);
            let condition = candidate.when.to_string();
            let plan = Plan { rules: vec![Arc::new(candidate)], ..plan.clone() };
            let fleet = Fleet::of(&plan, courses);
            let messages = walk_all(&plan, &fleet, courses.iter(), || bar.inc(1))?;
            let firing = messages.iter().filter(|message| message.transition.kind == TransitionKind::Fired).count();
            #[expect(clippy::cast_precision_loss, reason = "a count of messages is small")]
            let per_week = firing as f64 / weeks;
            let (rule, written) = (rule.name.to_string(), (share - 1.0).abs() <= 0.0);
            tries.push(Try { rule, condition, firing, per_week, written, proposed: false });
        }
        let nearest = |one: &&mut Try, other: &&mut Try| {
            (one.per_week - wanted).abs().total_cmp(&(other.per_week - wanted).abs())
        };
        if let Some(nearest) = tries[from..].iter_mut().min_by(nearest) {
            nearest.proposed = true;
        }
    }
    bar.finish_and_clear();
    if as_json {
        return output::json(&tries);
    }
    let rows = tries.iter().map(|tried| {
        let mark = match (tried.proposed, tried.written) {
            (true, true) => "as written, and nearest",
            (true, false) => "nearest",
            (false, true) => "as written",
            (false, false) => "",
        };
        [
            tried.rule.clone(),
            tried.condition.clone(),
            tried.firing.to_string(),
            display::number(tried.per_week),
            mark.to_owned(),
        ]
    });
    output::say(&output::table(["RULE", "CONDITION", "FIRED", "A WEEK", ""], rows));
    output::say(&format!(
        "\nwanted: {} a week, over all tenants; recovery marks move along with their bounds",
        display::number(wanted)
    ));
    Ok(())
}

/// The rule with its bound or size at that share of what is written.
fn scaled(rule: &Rule, share: f64) -> Rule {
    use crate::rule::Recover;
    let round = |number: f64| (number * share * 100.0).round() / 100.0;
    let size = |size: Size| match size {
        Size::Percent(percent) => Size::Percent(round(percent)),
        Size::Points(points) => Size::Points(round(points)),
    };
    let change = |change: Change| Change { size: size(change.size), ..change };
    let (when, moved) = match rule.when {
        Condition::Below(bound) => (Condition::Below(round(bound)), round(bound) - bound),
        Condition::Above(bound) => (Condition::Above(round(bound)), round(bound) - bound),
        Condition::Drop(given) => (Condition::Drop(change(given)), 0.0),
        Condition::Rise(given) => (Condition::Rise(change(given)), 0.0),
        Condition::NoData(silence) => (Condition::NoData(silence), 0.0),
    };
    let recover = rule.recover.map(|recover| match recover {
        Recover::Above(mark) => Recover::Above(mark + moved),
        Recover::Below(mark) => Recover::Below(mark + moved),
        Recover::Regained(share) => Recover::Regained(share),
    });
    Rule { when, recover, ..rule.clone() }
}
