//! Which bound or size makes a rule fire as often as is wanted.

use std::sync::Arc;

use serde::Serialize;

use super::{Span, tried::with_condition};
use crate::{
    query::Error,
    replay::{Fleet, History, Plan, many::walk_all},
    rule::{Change, Condition, Rule, Size, TransitionKind},
};

/// What a size is tried at, as a share of what the rule says.
const SHARES: [f64; 11] = [0.2, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0];
/// What a bound is tried at; a bound moves little before everything or nothing is beyond it.
const BOUND_SHARES: [f64; 11] = [0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.35, 1.5];

/// How often a rule would fire with another number.
#[derive(Debug, Clone, Serialize)]
pub struct Try {
    /// The name of the rule in the configuration.
    pub rule: String,
    /// Its condition with that number.
    pub condition: String,
    /// How often it would have fired.
    pub firing: usize,
    /// The same, a week.
    pub per_week: f64,
    /// Whether it is the one written.
    pub written: bool,
    /// Whether it comes nearest to what is wanted.
    pub proposed: bool,
}

/// The rules that have a number.
fn numeric(plan: &Plan) -> impl Iterator<Item = &Arc<Rule>> {
    plan.rules.iter().filter(|rule| !matches!(rule.when, Condition::NoData(_)))
}

/// How often tenants are walked to try them all.
pub(super) fn walks(plan: &Plan, histories: &[History]) -> usize {
    numeric(plan).count() * SHARES.len() * histories.len()
}

/// Tries each rule with a number of bounds or sizes. `on_tenant` is called after each walk of a tenant.
pub(super) fn suggest(
    plan: &Plan,
    histories: &[History],
    span: Span,
    wanted: f64,
    on_tenant: impl Fn() + Sync,
) -> Result<Vec<Try>, Error> {
    let weeks = span.until.since(span.since).as_secs_f64() / (7.0 * 86_400.0);
    let mut tries: Vec<Try> = Vec::new();
    for rule in numeric(plan) {
        let from = tries.len();
        let shares = if rule.when.change().is_some() { SHARES } else { BOUND_SHARES };
        for share in shares {
            let candidate = scaled(rule, share);
            let condition = candidate.when.to_string();
            let plan = Plan { rules: vec![Arc::new(candidate)], ..plan.clone() };
            let fleet = Fleet::of(&plan, histories);
            let messages = walk_all(&plan, &fleet, histories.iter(), &on_tenant)?;
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
    Ok(tries)
}

/// The rule with its bound or size at that share of what is written.
fn scaled(rule: &Rule, share: f64) -> Rule {
    let round = |number: f64| (number * share * 100.0).round() / 100.0;
    let size = |size: Size| match size {
        Size::Percent(percent) => Size::Percent(round(percent)),
        Size::Points(points) => Size::Points(round(points)),
    };
    let change = |change: Change| Change { size: size(change.size), ..change };
    let when = match rule.when {
        Condition::Below(bound) => Condition::Below(round(bound)),
        Condition::Above(bound) => Condition::Above(round(bound)),
        Condition::Drop(given) => Condition::Drop(change(given)),
        Condition::Rise(given) => Condition::Rise(change(given)),
        Condition::NoData(silence) => Condition::NoData(silence),
    };
    with_condition(rule, when)
}
