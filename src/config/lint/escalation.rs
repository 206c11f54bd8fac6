//! Escalations that are probably not meant: to whom knows already, too late, or before anybody was notified.

use crate::{
    diagnostic::Warning,
    domain::{ChannelName, format_duration},
    rule::{Escalation, Rule},
};

/// What is doubtful about a rule's escalation: the warning, what is wrong, what to write instead. `is_unheard`: the rule notifies
/// nobody at first.
pub(super) fn doubts(rule: &Rule, is_unheard: bool) -> Vec<(Warning, String, String)> {
    let name = &rule.name;
    let mut doubts = Vec::new();
    let Some(first) = rule.escalate.first() else { return doubts };
    if is_unheard {
        let what = format!("rule `{name}` escalates an alert of which nobody was notified");
        let instead = "name the channels that are notified first under `notify:`".to_owned();
        doubts.push((Warning::EscalationWithoutNotify, what, instead));
    }
    for (place, step) in rule.escalate.iter().enumerate() {
        for channel in step.notify.iter().filter(|channel| is_notified_before(rule, place, channel)) {
            let what = format!("rule `{name}` escalates to channel `{channel}`, which was notified before");
            let instead = "name a channel that is notified only if nobody acknowledges the alert".to_owned();
            doubts.push((Warning::EscalationChannelNotified, what, instead));
        }
        doubts.extend(is_late(rule, step));
    }
    if let Some(repeat) = rule.repeat.filter(|repeat| first.after > *repeat) {
        let what = format!(
            "rule `{name}` reminds people after {}, and escalates only after {}",
            format_duration(repeat),
            format_duration(first.after)
        );
        let instead = "write an `after` that is not longer than `repeat`".to_owned();
        doubts.push((Warning::EscalationLate, what, instead));
    }
    doubts
}

fn is_notified_before(rule: &Rule, place: usize, channel: &ChannelName) -> bool {
    let steps = rule.escalate.iter().take(place);
    rule.notify.contains(channel) || steps.flat_map(|step| &step.notify).any(|before| before == channel)
}

/// A step that never comes: the level is accepted before.
fn is_late(rule: &Rule, step: &Escalation) -> Option<(Warning, String, String)> {
    let accepted = rule.accept_after.filter(|accepted| step.after >= *accepted)?;
    let what = format!(
        "rule `{}` never escalates after {}: the level is accepted after {}",
        rule.name,
        format_duration(step.after),
        format_duration(accepted)
    );
    Some((Warning::EscalationLate, what, "write an `after` that is shorter than `accept_after`".to_owned()))
}
