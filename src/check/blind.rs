//! When a tenant can't be read: the operator's own rule, and the words for why.

use std::time::Duration;

use crate::{
    config::Operator,
    domain::{Selector, Severity, Timestamp},
    notify::notification::OperatorFacts,
    rule::{Condition, Guide, Resolution, Rule, RuleName, Transition, TransitionKind},
    store::{Away, Failing},
};

/// The name of the operator's own rule. Rules of users can't be called so.
pub const OPERATOR_BLIND: &str = "operator.blind";

/// The rule by which the operator hears that a tenant can't be read. `None`: nobody wants to hear it.
#[must_use]
pub fn operator_rule(operator: &Operator) -> Option<Rule> {
    if operator.notify.is_empty() {
        return None;
    }
    Some(Rule {
        name: RuleName::parse(OPERATOR_BLIND).ok()?,
        score: None,
        tenants: Selector::default(),
        when: Condition::NoData(operator.blind_after),
        recover: None,
        hold: Duration::ZERO,
        severity: Severity::Critical,
        repeat: None,
        step: None,
        accept_after: None,
        notify: operator.notify.clone(),
        good_news: false,
        fleet: false,
        guide: Guide::default(),
    })
}

/// Why we are blind and what to do, in one or two sentences; never upstream's own text.
#[must_use]
pub fn reason(failing: Option<&Failing>) -> String {
    match failing {
        Some(Failing { class, hint: Some(hint), .. }) => format!("checks fail: {class}; {hint}"),
        Some(Failing { class, hint: None, .. }) => format!("checks fail: {class}"),
        None => "checks succeed, but the source gives no new data".to_owned(),
    }
}

/// What the operator's message about a tenant says.
#[must_use]
pub fn operator_facts(failing: Option<&Failing>, transition: &Transition) -> OperatorFacts {
    let (summary, over) = match transition.kind {
        TransitionKind::Resolved(Resolution::Recovered) => ("the tenant can be read again", true),
        TransitionKind::Resolved(_) => ("the tenant is no longer watched for this", true),
        _ => ("the tenant can't be read", false),
    };
    OperatorFacts {
        summary: summary.to_owned(),
        class: failing.map_or("recovered", |failing| failing.class.as_str()).to_owned(),
        hint: failing.filter(|_| !over).and_then(|failing| failing.hint.clone()),
        channel: None,
        from: Some(transition.since),
        until: over.then_some(transition.at),
    }
}

/// The part of `[from, until]` in which the service itself was away. Periods are ordered by their beginning; where they overlap,
/// as after a crash at the start, the time counts once.
#[must_use]
pub fn away_between(periods: &[Away], from: Timestamp, until: Timestamp) -> Duration {
    let (mut counted_to, mut sum) = (from, Duration::ZERO);
    for away in periods {
        let end = away.until.min(until);
        sum += end.since(away.from.max(counted_to));
        counted_to = counted_to.max(end);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_of_an_absence_inside_the_silence_counts() {
        let at = Timestamp::from_seconds;
        let away = |from, until| Away { from: at(from), until: at(until) };
        let periods = [away(0, 100), away(200, 250), away(200, 300), away(220, 240)];
        for (from, until, seconds) in
            [(0, 400, 200), (50, 250, 100), (100, 200, 0), (310, 400, 0), (250, 260, 10), (210, 230, 20)]
        {
            assert_eq!(away_between(&periods, at(from), at(until)), Duration::from_secs(seconds), "{from}..{until}");
        }
    }
}
