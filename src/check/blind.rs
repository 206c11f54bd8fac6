//! When a tenant can't be read: the operator's own rule, and the words for why.

pub mod stage;

use std::{borrow::Cow, time::Duration};

use super::outage::Cause;
use crate::{
    config::{Config, Operator, Tenant},
    domain::{ChannelName, ScoreKind, Severity, Timestamp, time},
    microsoft::FailureClass,
    notify::{
        compose::{self, AcceptedBy, MessageParts},
        facts::wording::{Failure, News, Remark, UnreadPart},
        language,
        notification::{Links, OperatorFacts},
    },
    rule::{Alert, AlertState, Condition, Firing, Guide, Resolution, Rule, RuleName, Transition, TransitionKind},
    store::{Downtime, Failing, NewNotification, TenantHealth, TenantRecord},
};

pub use super::outage::OPERATOR_BLIND;

/// The same as a name of a rule; there always is one.
#[must_use]
pub fn operator_rule_name() -> Option<RuleName> {
    RuleName::parse(OPERATOR_BLIND).ok()
}

/// The rule by which the operator is notified that a tenant can't be read. `None`: nobody wants to be notified.
#[must_use]
pub fn operator_rule(operator: &Operator) -> Option<Rule> {
    if operator.notify.is_empty() {
        return None;
    }
    Some(Rule {
        severity: Severity::Critical,
        notify: operator.notify.clone(),
        fleet: false,
        ..Rule::new(operator_rule_name()?, Condition::NoData(operator.blind_after))
    })
}

/// How long checks must fail in this way before the operator is notified: `blind_after`, but not at all for a secret that can't be
/// read on this machine. It doesn't come back by waiting, and nobody else can put it there.
#[must_use]
pub fn notified_after(operator: &Operator, class: &str) -> Duration {
    if class == FailureClass::SecretUnreadable.as_str() { Duration::ZERO } else { operator.blind_after }
}

/// The operator's rule as it is for a tenant whose checks fail in this way.
#[must_use]
pub fn rule_for<'a>(rule: &'a Rule, operator: &Operator, failing: Option<&Failing>) -> Cow<'a, Rule> {
    let after = failing.map_or(operator.blind_after, |failing| notified_after(operator, &failing.class));
    if after == operator.blind_after {
        return Cow::Borrowed(rule);
    }
    Cow::Owned(Rule { when: Condition::NoData(after), ..rule.clone() })
}

/// Why we are blind, since when, and what to do, in sentences; never upstream's own text. `outage`: the cause is that of an
/// outage that goes on. Everybody may read it: it names no other tenant and no number of them.
#[must_use]
pub fn reason(failing: Option<&Failing>, outage: Option<&Cause>) -> String {
    language::failure(failing.map(|failing| failure(failing, outage)).as_ref())
}

/// The same as a value, which each channel puts into its own language.
#[must_use]
pub fn failure(Failing { since, class, hint }: &Failing, outage: Option<&Cause>) -> Failure {
    Failure {
        since: *since,
        class: class.clone(),
        spread: outage.map(Cause::spread),
        hint: hint_for_all(class, hint.as_deref()).map(str::to_owned),
    }
}

/// The hint as everybody may read it: where a secret is kept, and who may read it there, is for the operator only.
fn hint_for_all<'a>(class: &str, hint: Option<&'a str>) -> Option<&'a str> {
    if class == FailureClass::SecretUnreadable.as_str() { FailureClass::SecretUnreadable.hint() } else { hint }
}

/// A class in words: `Entra does not know the client secret`.
pub(super) fn words(class: &str) -> String {
    FailureClass::from_name(class).map_or_else(|| class.to_owned(), |known| known.words().to_owned())
}

/// What the operator is sent about one tenant that can't be read, on its own. `None`: there is nothing to send, or nobody to send it to.
#[must_use]
pub fn alone(
    store: &str,
    config: &Config,
    tenant: &Tenant,
    rule: &Rule,
    record: &TenantRecord,
    now: Timestamp,
) -> Option<NewNotification> {
    let failing = record.health.failing.as_ref()?;
    let mut firing = record.alerts.iter().filter(|alert| alert.rule == rule.name && alert.notified_channels.is_empty());
    let (alert, state) = firing.find_map(|known| Some((known, firing_of(&known.alert)?)))?;
    let is_shown = |channel: &&ChannelName| {
        config.channels.get(*channel).is_some_and(|settings| settings.audience.admits(&tenant.id, &tenant.labels))
    };
    let channels: Vec<ChannelName> = rule.notify.iter().filter(is_shown).cloned().collect();
    if channels.is_empty() {
        return None;
    }
    let transition = Transition {
        kind: TransitionKind::Fired,
        at: now,
        value: None,
        observed_at: None,
        baseline: None,
        previous: None,
        since: state.since,
        fired_at: state.fired_at,
        generation: alert.alert.generation,
        sequence: alert.alert.sequence,
        gap: None,
        unread: Vec::new(),
        listed: 0,
        escalated: 0,
        unacknowledged: None,
        holds: false,
    };
    let key = rule.alert_key(&tenant.id, alert.score, alert.subject.as_ref());
    let kind = alert.score.or_else(|| tenant.scores.first().copied())?;
    let parts = MessageParts {
        store,
        tenant_key: &record.identity.key,
        key: &key,
        score: kind,
        tenant: tenant.facts(),
        condition: rule.when.to_string(),
        severity: rule.severity,
        loss: None,
        points: None,
        excluded: None,
        remark: Some(Remark::Unread { last_reading: None, failure: Some(self::failure(failing, None)) }),
        no_data: Vec::new(),
        accepted_by: AcceptedBy::Time,
        operator: Some(operator_facts(Some(failing), unread_part(&record.health, &tenant.scores), &transition)),
        guide: Guide::default(),
        links: Links {
            portal: Some(tenant.score_page(kind)),
            fix: tenant.fix_page(&failing.class, failing.hint.as_deref()),
            ..Links::default()
        },
    };
    let notification = compose::of_transition(parts, &transition);
    Some(NewNotification { notification, alert: Some(key), tenant: Some(tenant.id.clone()), channels, hold: None })
}

const fn firing_of(alert: &Alert) -> Option<&Firing> {
    match &alert.state {
        AlertState::Firing(firing) => Some(firing),
        _ => None,
    }
}

/// Which of the scores that a tenant is polled for can't be read. `None`: all, or it is not known which.
#[must_use]
pub fn unread_part(health: &TenantHealth, polled: &[ScoreKind]) -> Option<UnreadPart> {
    let failures = health.failures.iter().map(|failure| failure.score);
    let scores: Vec<ScoreKind> = failures.filter(|score| polled.contains(score)).collect();
    let is_part = !scores.is_empty() && scores.len() < polled.len();
    is_part.then_some(UnreadPart { scores, of: polled.len() })
}

/// What the operator's message about a tenant says. `part`: its other scores are read.
#[must_use]
pub fn operator_facts(failing: Option<&Failing>, part: Option<UnreadPart>, transition: &Transition) -> OperatorFacts {
    let class = failing.map_or("recovered", |failing| failing.class.as_str());
    let (news, over) = match transition.kind {
        TransitionKind::Resolved(Resolution::Recovered) => (News::TenantReadAgain, true),
        TransitionKind::Resolved(_) => (News::TenantUnwatched, true),
        _ => {
            let hint = failing.and_then(|failing| failing.hint.clone());
            (News::TenantUnread { class: class.to_owned(), hint, part }, false)
        }
    };
    OperatorFacts {
        from: Some(transition.since),
        until: over.then_some(transition.at),
        ..OperatorFacts::of(news, class, None)
    }
}

/// The part of `[from, until]` in which the service itself was down. Periods are ordered by their beginning; where they overlap,
/// as after a crash at the start, the time counts once.
#[must_use]
pub fn downtime_between(periods: &[Downtime], from: Timestamp, until: Timestamp) -> Duration {
    time::covered(periods.iter().map(|downtime| (downtime.from, downtime.until)), from, until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_downtime_inside_the_gap_counts() {
        let at = Timestamp::from_seconds;
        let downtime = |from, until| Downtime { from: at(from), until: at(until) };
        let periods = [downtime(0, 100), downtime(200, 250), downtime(200, 300), downtime(220, 240)];
        for (from, until, seconds) in
            [(0, 400, 200), (50, 250, 100), (100, 200, 0), (310, 400, 0), (250, 260, 10), (210, 230, 20)]
        {
            assert_eq!(
                downtime_between(&periods, at(from), at(until)),
                Duration::from_secs(seconds),
                "{from}..{until}"
            );
        }
    }
}
