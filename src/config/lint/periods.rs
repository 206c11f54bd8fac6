//! Rules that wait, or look back, for longer than can be meant.

use std::time::Duration;

use crate::{
    domain::format_duration,
    rule::{Condition, Rule},
};

/// An alert that waits for longer comes too late for anybody.
const FOR_MAX: Duration = Duration::from_hours(30 * 24);

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
