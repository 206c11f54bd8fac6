//! From what happened to what is said: the notification of a transition, and of what the operator must know.

pub use super::facts::wording::AcceptedBy;
use super::{
    Notification, NotificationId, NotificationType,
    facts::wording::Remark,
    identity::alert_id,
    language,
    notification::{
        AlertFacts, EscalationFacts, ExcludedFacts, Facts, Links, NoDataFacts, NotificationFacts, OperatorFacts,
        RuleFacts, ScoreFacts, TenantFacts,
    },
};
use crate::{
    domain::{Points, ScoreKind, Severity, Timestamp},
    rule::{AlertKey, Condition, Guide, Resolution, Rule, Transition, TransitionKind, Unacknowledged},
};

/// What a notification of a transition is made from, in addition to the transition.
#[derive(Debug, Clone)]
pub struct MessageParts<'a> {
    /// The store's identity; part of every id.
    pub store: &'a str,
    /// What the store makes ids of the alert's tenant from.
    pub tenant_key: &'a str,
    /// The identity of the alert.
    pub key: &'a AlertKey,
    /// The score; of an alert of the whole tenant, the first that it is polled for.
    pub score: ScoreKind,
    /// The tenant's name and labels.
    pub tenant: TenantFacts,
    /// The rule's condition, in words.
    pub condition: String,
    /// The severity that the rule gives its alerts.
    pub severity: Severity,
    /// What the rule is for, and what to do.
    pub guide: Guide,
    /// How far from the baseline, with the same in percent; `drop` and `rise` only.
    pub loss: Option<(f64, Option<f64>)>,
    /// The points behind the value, where it is a percentage.
    pub points: Option<Points>,
    /// The controls that do not count in the value; `None`: every control counts.
    pub excluded: Option<ExcludedFacts>,
    /// What the message says in addition to its numbers: why we are blind, which gap a change spans, why a reminder is not news.
    pub remark: Option<Remark>,
    /// The scores without data; `no_data` only.
    pub no_data: Vec<NoDataFacts>,
    /// Who accepted the level, if that is how the alert ended.
    pub accepted_by: AcceptedBy,
    /// Whether this is the operator's own alert about blindness.
    pub operator: Option<OperatorFacts>,
    /// Links to pages with more details.
    pub links: Links,
}

/// The notification that a transition causes. Equal arguments give the same id.
#[must_use]
pub fn of_transition(parts: MessageParts<'_>, transition: &Transition) -> Notification {
    let MessageParts {
        store,
        tenant_key,
        key,
        score,
        tenant,
        condition,
        severity,
        guide,
        loss,
        points,
        excluded,
        remark,
        no_data,
        accepted_by,
        operator,
        links,
    } = parts;
    let id = NotificationId::of_transition(store, tenant_key, key, transition.generation, transition.sequence);
    let resolution = resolution_of(transition);
    let remark = resolution.and_then(|resolution| ended(resolution, &accepted_by)).or(remark);
    let alert = AlertFacts {
        id: alert_id(store, tenant_key, key),
        state: if resolution.is_some() { "resolved" } else { "firing" }.to_owned(),
        severity,
        started_at: transition.since,
        resolved_at: resolution.map(|_| transition.at),
        reason: remark.as_ref().and_then(|remark| language::remark(remark, &no_data)),
        remark,
        escalation: escalation(transition),
        resolution,
        resolved_by: match (resolution, accepted_by) {
            (Some(Resolution::Accepted), AcceptedBy::Person(name)) => name,
            _ => None,
        },
    };
    Notification {
        kind: if operator.is_some() { NotificationType::OperatorBlind } else { type_of(transition.kind) },
        timestamp: transition.at,
        data: Facts {
            notification: NotificationFacts {
                short_id: id.short(),
                id,
                sequence: transition.sequence,
                test: false,
                possible_duplicate: false,
                covers: Vec::new(),
            },
            alert: Some(alert),
            tenant: Some(tenant),
            rule: Some(rule_facts(key, condition, guide)),
            score: Some(ScoreFacts {
                points,
                excluded,
                all: key.score.is_none(),
                ..score_facts(score, key, transition, loss)
            }),
            no_data,
            explanation: None,
            why: None,
            operator,
            links,
        }
        .into(),
    }
}

/// Why further channels are notified; of an escalation only.
fn escalation(transition: &Transition) -> Option<EscalationFacts> {
    let Unacknowledged { since, after, .. } = transition.unacknowledged?;
    Some(EscalationFacts { unacknowledged_since: since, after_seconds: after.as_secs(), step: transition.escalated })
}

fn rule_facts(key: &AlertKey, condition: String, guide: Guide) -> RuleFacts {
    RuleFacts {
        name: key.rule.to_string(),
        condition,
        about: guide.about.map(|about| about.to_string()),
        runbook: guide.runbook.map(|runbook| runbook.to_string()),
    }
}

const fn resolution_of(transition: &Transition) -> Option<Resolution> {
    match transition.kind {
        TransitionKind::Resolved(resolution) => Some(resolution),
        _ => None,
    }
}

/// Why an alert is over, where the score did not simply recover.
fn ended(resolution: Resolution, accepted_by: &AcceptedBy) -> Option<Remark> {
    let accepted_by = accepted_by.clone();
    (resolution != Resolution::Recovered).then_some(Remark::Ended { resolution, accepted_by })
}

/// A notification for the operator that no alert causes. `parts` make its id: the same parts, the same notification.
#[must_use]
pub fn for_operator(
    kind: NotificationType,
    parts: &[&str],
    tenant: Option<TenantFacts>,
    operator: OperatorFacts,
    now: Timestamp,
) -> Notification {
    let mut notification = without_alert(kind, NotificationId::of_parts(parts), now);
    notification.data.tenant = tenant;
    notification.data.operator = Some(operator);
    notification
}

/// A notification that no alert causes, with nothing in it yet.
pub(super) fn without_alert(kind: NotificationType, id: NotificationId, now: Timestamp) -> Notification {
    Notification {
        kind,
        timestamp: now,
        data: Facts {
            notification: NotificationFacts {
                short_id: id.short(),
                id,
                sequence: 1,
                test: false,
                possible_duplicate: false,
                covers: Vec::new(),
            },
            alert: None,
            tenant: None,
            rule: None,
            score: None,
            no_data: Vec::new(),
            explanation: None,
            why: None,
            operator: None,
            links: Links::default(),
        }
        .into(),
    }
}

/// How far a value is from the baseline in the condition's direction, with the same in percent of the baseline.
#[must_use]
pub fn loss_of(condition: &Condition, baseline: Option<f64>, value: Option<f64>) -> Option<(f64, Option<f64>)> {
    let (baseline, value) = (baseline?, value?);
    Some((condition.loss(value, baseline)?, condition.loss_percent(value, baseline)))
}

/// The kind of message that reports it.
#[must_use]
pub const fn type_of(kind: TransitionKind) -> NotificationType {
    match kind {
        TransitionKind::Fired => NotificationType::AlertFiring,
        TransitionKind::Worsened => NotificationType::AlertWorsened,
        TransitionKind::Reminder => NotificationType::AlertReminder,
        TransitionKind::Escalated => NotificationType::AlertEscalated,
        TransitionKind::Unstable => NotificationType::AlertUnstable,
        TransitionKind::Resolved(_) => NotificationType::AlertResolved,
    }
}

/// What is said of an alert that is unstable.
#[must_use]
pub fn unstable(rule: &Rule) -> Remark {
    let limit = rule.flapping.unwrap_or_default();
    Remark::Unstable { changes: limit.changes, within: limit.within.as_secs(), calm: rule.calm().as_secs() }
}

fn score_facts(
    kind: ScoreKind,
    key: &AlertKey,
    transition: &Transition,
    loss: Option<(f64, Option<f64>)>,
) -> ScoreFacts {
    ScoreFacts {
        kind,
        all: false,
        subject: key.subject.as_ref().map(ToString::to_string),
        unit: kind.unit().as_str().to_owned(),
        value: transition.value,
        baseline: transition.baseline,
        previous: transition.previous,
        loss: loss.map(|(points, _)| points),
        loss_percent: loss.and_then(|(_, percent)| percent),
        observed_at: transition.observed_at,
        gap: transition.gap,
        points: None,
        comparison: None,
        excluded: None,
    }
}
