//! The facts of a message, each under its name: what the headline does not say.

use serde::Serialize;

use super::{
    headline::says_condition,
    phrases::{Numbers, duration, moved, utc},
    score_name::score_name,
};
use crate::{
    domain::Points,
    notify::{
        Notification, NotificationType,
        excluded::sentence,
        notification::{AlertFacts, Facts, OperatorFacts, ScoreFacts},
    },
    rule::display::number,
};

/// Most facts that are shown: a section of a Slack message has no more fields.
const FACTS_MAX: usize = 10;

/// One fact.
#[derive(Debug, Serialize)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// The facts, the weightiest first. `headline` is what the message says first.
pub(super) fn facts(notification: &Notification, headline: &str) -> Vec<Fact> {
    let data = &notification.data;
    let mut facts = Vec::new();
    let mut say = |name, value: Option<String>| facts.extend(value.map(|value| Fact { name, value }));
    if let Some(score) = data.score.as_ref().filter(|_| data.operator.is_none()) {
        let is_all_named = score.all && data.no_data.len() > 1;
        let names: Vec<_> = data.no_data.iter().map(|one| score_name(one.kind, None)).collect();
        say("Scores", is_all_named.then(|| names.join(", ")));
        let is_over = data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
        say(if is_over { "Remaining loss" } else { "Loss" }, loss(data, score, headline));
        say("Points", points(data, score));
        say("Last reading", score.observed_at.map(utc));
        say("Excluded", excluded_controls(score));
    }
    if let Some(alert) = &data.alert {
        say("Since", Some(since(notification, alert)));
        say("Acknowledged", (notification.kind == NotificationType::AlertReminder).then(|| "no".to_owned()));
        say("Severity", data.operator.is_none().then(|| alert.severity.to_string()));
    }
    say("Rule", rule(data));
    if let Some(operator) = &data.operator {
        of_operator(notification, operator, headline, &mut say);
    }
    say("Tenant", tenant(data, headline));
    let labels = data.tenant.iter().flat_map(|tenant| &tenant.labels).map(|(key, value)| format!("{key}={value}"));
    let labels = labels.collect::<Vec<_>>().join(", ");
    say("Labels", (!labels.is_empty()).then_some(labels));
    facts.truncate(FACTS_MAX);
    facts
}

/// How much was lost, unless the headline says just that.
fn loss(data: &Facts, score: &ScoreFacts, headline: &str) -> Option<String> {
    let loss = Numbers::of(data, score).loss?;
    let is_over = data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
    if is_over && score.loss.is_some_and(|loss| loss <= 0.0) {
        return None;
    }
    // The percentage is in the headline, rounded for a first look; where it is the very same, it is not said again.
    let percent = moved(score).filter(|moved| moved.ends_with('%') && headline.contains(moved.as_str()));
    let said = percent.and_then(|moved| Some(format!(" ({})", moved.strip_prefix(['−', '+'])?)));
    Some(said.and_then(|said| loss.strip_suffix(said.as_str()).map(str::to_owned)).unwrap_or(loss))
}

/// The points behind a percentage, now and before.
fn points(data: &crate::notify::notification::Data, score: &ScoreFacts) -> Option<String> {
    let said = |Points { earned, of }: Points| format!("{} of {}", number(earned), number(of));
    let now = score.points.map(said)?;
    let before = data.breakdown.as_ref().map(|breakdown| said(breakdown.before)).filter(|before| *before != now);
    Some(before.map_or_else(|| now.clone(), |before| format!("{now} (before: {before})")))
}

/// The controls that do not count, and what the value is with them.
fn excluded_controls(score: &ScoreFacts) -> Option<String> {
    let excluded = score.excluded.as_ref()?;
    let with_them = excluded.value_with_them.map(|value| format!(". With them: {}%", number(value)));
    Some(format!("{}{}", sentence(&excluded.controls)?, with_them.unwrap_or_default()))
}

/// When an alert began, and how long it has lasted.
fn since(notification: &Notification, alert: &AlertFacts) -> String {
    let began = utc(alert.started_at);
    let until = alert.resolved_at.unwrap_or(notification.timestamp);
    let lasted = duration(until.since(alert.started_at));
    match (alert.resolved_at, notification.kind) {
        (Some(end), _) => format!("{began} until {} ({lasted})", utc(end)),
        (None, NotificationType::AlertReminder | NotificationType::AlertWorsened) => format!("{began} ({lasted})"),
        (None, _) => began,
    }
}

/// The rule, with its condition unless the headline says that.
fn rule(data: &Facts) -> Option<String> {
    let rule = data.rule.as_ref().filter(|_| data.operator.is_none())?;
    Some(if says_condition(data) || rule.condition.is_empty() {
        rule.name.clone()
    } else {
        format!("{} ({})", rule.name, rule.condition)
    })
}

fn of_operator(
    notification: &Notification,
    operator: &OperatorFacts,
    headline: &str,
    say: &mut impl FnMut(&'static str, Option<String>),
) {
    say("Class", Some(operator.class.clone()).filter(|class| !headline.contains(class.as_str())));
    say("Channel", operator.channel.clone().filter(|channel| !headline.contains(channel.as_str())));
    if notification.kind == NotificationType::OperatorCredential {
        say("Expires", operator.until.map(utc));
    } else if notification.data.alert.is_none() {
        say("Since", operator.from.filter(|_| operator.until.is_none()).map(utc));
        say("From", operator.from.filter(|_| operator.until.is_some()).map(utc));
        say("Until", operator.until.map(utc));
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
