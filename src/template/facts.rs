//! The facts of a message, each under its name: what the headline does not say.

use std::time::Duration;

use serde::Serialize;

use super::{
    headline::{needs_direction, says_condition},
    phrases::{Numbers, moved},
};
use crate::{
    domain::{Language, Points},
    notify::{
        Notification, NotificationType,
        excluded::sentence,
        language::{Locale, Place, Words, alert::FactName},
        notification::{AlertFacts, Data, Facts, OperatorFacts, ScoreFacts},
    },
};

/// Most facts that are shown: a section of a Slack message has no more fields.
const FACTS_MAX: usize = 10;

/// A name and a value that stand side by side in a message.
#[derive(Debug, Serialize)]
pub(super) struct Fact {
    #[serde(skip)]
    pub(super) is: FactName,
    /// The name in English, whatever the language is.
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    /// The name with a colon, as the language writes it.
    pub(super) label: String,
    pub(super) value: String,
}

/// The facts, the weightiest first. `headline` is what the message says first, `reason` what it says next.
pub(super) fn facts(notification: &Notification, headline: &str, reason: Option<&str>, locale: &Locale) -> Vec<Fact> {
    let (data, words) = (&notification.data, locale.words());
    let mut facts = Vec::new();
    let mut say = |is, value: Option<String>| {
        facts.extend(value.map(|value| Fact {
            is,
            key: (Words::of(Language::En).alert.fact)(is),
            name: (words.alert.fact)(is),
            label: format!("{}{}:", (words.alert.fact)(is), words.before_colon),
            value,
        }));
    };
    if let Some(score) = data.score.as_ref().filter(|_| data.operator.is_none()) {
        let names: Vec<_> = data.no_data.iter().map(|one| (words.score)(one.kind, None)).collect();
        // Where their causes differ, the reason names each of them.
        let said = reason.unwrap_or_default().to_lowercase();
        let is_all_named =
            score.all && names.len() > 1 && !names.iter().all(|name| said.contains(&name.to_lowercase()));
        say(FactName::Scores, is_all_named.then(|| names.join(", ")));
        let is_over = data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
        let loss_name = if is_over { FactName::RemainingLoss } else { FactName::Loss };
        say(loss_name, loss(data, score, headline, words));
        let direction = words.alert.higher_is_worse;
        let is_said = !needs_direction(notification) || headline.contains(direction);
        say(FactName::Direction, (!is_said).then(|| direction.to_owned()));
        say(FactName::Points, points(data, score, words));
        say(FactName::LastReading, score.observed_at.map(|at| locale.time(at)));
        say(FactName::Excluded, excluded_controls(score, words));
    }
    if let Some(alert) = &data.alert {
        let (name, since) = since(notification, alert, locale);
        say(name, Some(since).filter(|since| reason.is_none_or(|reason| !reason.contains(since.as_str()))));
        let is_reminder = notification.kind == NotificationType::AlertReminder;
        say(FactName::Acknowledged, is_reminder.then(|| words.alert.not_acknowledged.to_owned()));
        say(FactName::Escalated, escalated(alert, locale));
        say(FactName::Severity, data.operator.is_none().then(|| (words.severity)(alert.severity).to_owned()));
    }
    say(FactName::Rule, rule(data, words));
    if let Some(operator) = &data.operator {
        of_operator(notification, operator, headline, locale, &mut say);
    }
    say(FactName::Tenant, tenant(data, headline));
    let labels = data.tenant.iter().flat_map(|tenant| &tenant.labels).map(|(key, value)| format!("{key}={value}"));
    let labels = labels.collect::<Vec<_>>().join(", ");
    say(FactName::Labels, (!labels.is_empty()).then_some(labels));
    facts.truncate(FACTS_MAX);
    facts
}

/// How much was lost, unless the headline says just that.
fn loss(data: &Facts, score: &ScoreFacts, headline: &str, words: &Words) -> Option<String> {
    let loss = Numbers::of(data, score, words).loss?;
    let is_over = data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
    if is_over && score.loss.is_some_and(|loss| loss <= 0.0) {
        return None;
    }
    // The percentage is in the headline, rounded for a first look; where it is the very same, it is not said again.
    let in_headline = moved(score, words).filter(|moved| moved.ends_with('%') && headline.contains(moved.as_str()));
    let is_said = in_headline.is_some_and(|moved| moved.strip_prefix(['−', '+']) == loss.percent.as_deref());
    let said = if is_said { loss.size.clone() } else { loss.whole() };
    Some(if loss.is_gain { (words.alert.gained)(&said) } else { said })
}

/// The points behind a percentage, now and before.
fn points(data: &Data, score: &ScoreFacts, words: &Words) -> Option<String> {
    let said = |Points { earned, of }: Points| (words.alert.of)(&words.number(earned), &words.number(of));
    let now = score.points.map(said)?;
    let before = data.breakdown.as_ref().map(|breakdown| said(breakdown.before)).filter(|before| *before != now);
    Some(before.map_or_else(|| now.clone(), |before| (words.alert.before)(&now, &before)))
}

/// The controls that do not count, and what the value is with them.
fn excluded_controls(score: &ScoreFacts, words: &Words) -> Option<String> {
    let excluded = score.excluded.as_ref()?;
    let with_them = excluded.value_with_them.map(|value| {
        (words.alert.with_them)(excluded.controls.len(), &words.percent(&crate::rule::display::number(value)))
    });
    let with_them = with_them.map(|said| format!(". {said}")).unwrap_or_default();
    Some(format!("{}{with_them}", sentence(&excluded.controls, words)?))
}

/// When an alert began, and how long it has lasted; of one that is over, from when to when.
fn since(notification: &Notification, alert: &AlertFacts, locale: &Locale) -> (FactName, String) {
    let words = locale.words();
    let began = locale.time(alert.started_at);
    let until = alert.resolved_at.unwrap_or(notification.timestamp);
    let lasted = words.duration(until.since(alert.started_at), Place::Alone);
    match (alert.resolved_at, notification.kind) {
        (Some(end), _) => (FactName::From, (words.alert.period)(&began, &locale.time(end), &lasted)),
        (
            None,
            NotificationType::AlertReminder | NotificationType::AlertWorsened | NotificationType::AlertEscalated,
        ) => (FactName::Since, format!("{began} ({lasted})")),
        (None, _) => (FactName::Since, began),
    }
}

/// Why further channels are notified.
fn escalated(alert: &AlertFacts, locale: &Locale) -> Option<String> {
    let (escalation, words) = (alert.escalation?, locale.words());
    let after = words.duration(Duration::from_secs(escalation.after_seconds), Place::AfterPreposition);
    Some((words.alert.not_acknowledged_within)(&after, &locale.time(escalation.unacknowledged_since)))
}

/// The rule, with its condition unless the headline says that.
fn rule(data: &Facts, words: &Words) -> Option<String> {
    let rule = data.rule.as_ref().filter(|_| data.operator.is_none())?;
    Some(if says_condition(data) || rule.condition.is_empty() {
        rule.name.clone()
    } else {
        let unit = data.score.as_ref().map(|score| score.kind.unit());
        format!("{} ({})", rule.name, words.condition(&rule.condition, unit))
    })
}

fn of_operator(
    notification: &Notification,
    operator: &OperatorFacts,
    headline: &str,
    locale: &Locale,
    say: &mut impl FnMut(FactName, Option<String>),
) {
    let time = |at| locale.time(at);
    // Of the end of something there is no class: nothing is wrong.
    let is_over = notification.data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some())
        || (operator.until.is_some_and(|until| until <= notification.timestamp)
            && notification.kind != NotificationType::OperatorCredential);
    let class = Some(operator.class.clone()).filter(|class| !is_over && !headline.contains(class.as_str()));
    say(FactName::Class, class);
    say(FactName::Channel, operator.channel.clone().filter(|channel| !headline.contains(channel.as_str())));
    if notification.kind == NotificationType::OperatorCredential {
        say(FactName::Expires, operator.until.map(time));
    } else if notification.data.alert.is_none() {
        say(FactName::Since, operator.from.filter(|_| operator.until.is_none()).map(time));
        say(FactName::From, operator.from.filter(|_| operator.until.is_some()).map(time));
        say(FactName::Until, operator.until.map(time));
    }
}

/// The tenant's id, by which commands know it; with its name if the headline has it only in part.
fn tenant(data: &Facts, headline: &str) -> Option<String> {
    let tenant = data.tenant.as_ref()?;
    if headline.contains(tenant.name.as_str()) && !tenant.name.is_empty() {
        return (tenant.name != tenant.id).then(|| tenant.id.clone());
    }
    Some(format!("{} ({})", tenant.name, tenant.id))
}
