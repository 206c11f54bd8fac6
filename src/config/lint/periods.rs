//! Rules that wait, or look back, for longer than can be meant.

use std::time::Duration;

use crate::{
    domain::format_duration,
    rule::{Condition, Rule},
};

/// An alert that waits for longer comes too late for anybody.
const FOR_MAX: Duration = Duration::from_hours(30 * 24);

/// A level that is accepted sooner was hardly seen by anybody.
const ACCEPTED_MIN: Duration = Duration::from_hours(24);

/// Why a rule accepts a loss before anybody can have acted on it: what is wrong, and what to write.
pub(super) fn accepted_soon(rule: &Rule) -> Option<(String, String)> {
    let accepted = rule.accept_after?;
    let (name, after) = (&rule.name, format_duration(accepted));
    let what = match rule.repeat.filter(|repeat| accepted <= *repeat) {
        _ if accepted < ACCEPTED_MIN => format!("rule `{name}` accepts a loss {after} after it was reported"),
        Some(repeat) => {
            let repeat = format_duration(repeat);
            format!("rule `{name}` accepts a loss after {after}, before its first reminder (`repeat: {repeat}`)")
        }
        None => return None,
    };
    let least = format_duration(rule.repeat.map_or(ACCEPTED_MIN, |repeat| ACCEPTED_MIN.max(repeat.saturating_mul(2))));
    Some((format!("{what}, and its alert is over"), format!("write `accept_after: 14d`, or {least} at least")))
}

/// What is too long in a rule: its key, what is wrong, and what to write.
pub(super) fn too_long(rule: &Rule, retention: Duration) -> Vec<(&'static str, String, String)> {
    let (name, kept) = (&rule.name, format_duration(retention));
    let mut found = Vec::new();
    if let Condition::Drop(change) | Condition::Rise(change) = rule.when
        && change.within > retention
    {
        let within = format_duration(change.within);
        let what = format!("rule `{name}` looks back {within}, and values are kept for {kept} (`retention`)");
        found.push(("when.within", what, format!("write `within: {kept}` or less, or a longer `retention`")));
    }
    if rule.hold > FOR_MAX.min(retention) {
        let what = format!("rule `{name}` notifies only after {}, which is hardly meant", format_duration(rule.hold));
        found.push(("for", what, "write a time like `for: 1h`; `for: 1m` is one minute".to_owned()));
    }
    found
}
