//! Rules: what each says, and to which tenants it applies. A limited scope sees the rules that apply to one of its tenants.

use serde::Serialize;

use super::{Error, Listing, Page, error::Thing};
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Scope, ScoreKind, Selector, Severity, TenantId, format_duration},
    rule::{BaselineChoice, Change, Condition, FlapLimit, Recover, Rule, RuleName, Size},
    store::OpenAlert,
};

/// A rule, and to which tenants it applies.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Rule")]
pub struct RuleView {
    /// The name that configuration and messages give the rule.
    pub name: RuleName,
    /// What it is for, in its author's words.
    pub about: Option<String>,
    /// What to do when it fires: a link or a text.
    pub runbook: Option<String>,
    /// The score that it judges; null: every score of the tenant, as one.
    pub score: Option<ScoreKind>,
    /// The labels that a tenant must have; empty: none, or they are not shown.
    pub labels: Selector,
    /// Its condition, in words.
    pub condition: String,
    /// The condition under which the alert fires.
    pub when: When,
    /// What must hold for the alert to be over; null: the condition no longer holds.
    pub recover: Option<Recover>,
    /// How long the condition must have held, as the configuration writes it: `1h`, `0s`.
    pub r#for: String,
    /// How bad it is.
    pub severity: Severity,
    /// The time between reminders, likewise; null: there are none.
    pub repeat: Option<String>,
    /// How much further it must move to be reported as worsened again.
    pub step: Option<Size>,
    /// After how long a loss is accepted as the new level, likewise; null: never.
    pub accept_after: Option<String>,
    /// From how many changes on an alert is reported as unstable; null: each change is reported.
    pub flapping_changes: Option<u32>,
    /// The channels that it notifies, as far as they can show a tenant of the scope.
    pub notify: Vec<ChannelName>,
    /// Whether the channels that a tenant names itself are notified, too.
    pub tenant_channels: bool,
    /// Whether it takes part in fleet shifts.
    pub fleet: bool,
    /// The tenants of the scope to which it applies.
    pub tenants: Vec<TenantId>,
}

/// A condition as the configuration writes it, lengths of time included.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RuleCondition")]
pub enum When {
    /// The score is below that.
    Below(f64),
    /// The score is above that.
    Above(f64),
    /// The score has fallen.
    Drop(Movement),
    /// The score has risen.
    Rise(Movement),
    /// Nothing was read for this length of time: `6h`.
    NoData(String),
}

/// By how much a score must have moved, and within which time.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "RuleMovement")]
pub struct Movement {
    /// The smallest change that fires.
    pub size: Size,
    /// How far back the value lies that it is compared with: `12h`.
    pub within: String,
    /// With which value of that time it is compared.
    pub from: BaselineChoice,
}

impl When {
    fn of(condition: Condition) -> Self {
        let movement =
            |change: Change| Movement { size: change.size, within: format_duration(change.within), from: change.from };
        match condition {
            Condition::Below(bound) => Self::Below(bound),
            Condition::Above(bound) => Self::Above(bound),
            Condition::Drop(change) => Self::Drop(movement(change)),
            Condition::Rise(change) => Self::Rise(movement(change)),
            Condition::NoData(length) => Self::NoData(format_duration(length)),
        }
    }
}

impl RuleView {
    fn of(config: &Config, scope: &Scope, rule: &Rule) -> Self {
        let of_scope = || config.tenants.values().filter(|tenant| scope.includes(&tenant.id));
        let is_seen = |channel: &&ChannelName| {
            let settings = config.channels.get(*channel);
            scope.is_all()
                || scope.sees_channel(channel)
                    && settings.is_some_and(|settings| {
                        of_scope().any(|tenant| settings.audience.admits(&tenant.id, &tenant.labels))
                    })
        };
        let text =
            |text: &Option<std::sync::Arc<str>>| text.as_ref().filter(|_| scope.sees_about()).map(ToString::to_string);
        Self {
            name: rule.name.clone(),
            about: text(&rule.guide.about),
            runbook: text(&rule.guide.runbook),
            score: rule.score,
            labels: if scope.sees_labels() { rule.tenants.clone() } else { Selector::default() },
            condition: rule.when.to_string(),
            when: When::of(rule.when),
            recover: rule.recover,
            r#for: format_duration(rule.hold),
            severity: rule.severity,
            repeat: rule.repeat.map(format_duration),
            step: rule.step,
            accept_after: rule.accept_after.map(format_duration),
            flapping_changes: rule.flapping.map(|FlapLimit { changes, .. }| changes),
            notify: rule.notify.iter().filter(is_seen).cloned().collect(),
            tenant_channels: rule.tenant_channels,
            fleet: rule.fleet,
            tenants: of_scope().filter(|tenant| applies(rule, tenant)).map(|tenant| tenant.id.clone()).collect(),
        }
    }
}

/// What a rule makes of the tenants of a scope now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleUse {
    /// How many tenants it judges.
    pub tenants: usize,
    /// How many of its alerts fire.
    pub firing: usize,
    /// How many of its alerts are pending: the condition holds, but not yet for long enough.
    pub pending: usize,
}

impl RuleUse {
    /// `open`: every open alert, of whatever rule and tenant.
    #[must_use]
    pub fn of(config: &Config, scope: &Scope, rule: &Rule, open: &[OpenAlert]) -> Self {
        let judged = config.tenants.values().filter(|tenant| scope.includes(&tenant.id) && applies(rule, tenant));
        let alerts = open.iter().filter(|alert| alert.rule == rule.name && scope.includes(&alert.tenant));
        let (firing, pending): (Vec<_>, Vec<_>) = alerts.partition(|alert| alert.is_firing);
        Self { tenants: judged.count(), firing: firing.len(), pending: pending.len() }
    }
}

/// Whether a rule judges anything of a tenant.
fn applies(rule: &Rule, tenant: &Tenant) -> bool {
    tenant.scores.iter().any(|score| rule.applies_to(&tenant.labels, *score))
}

/// The rules, in the order of the configuration.
#[must_use]
pub fn list(config: &Config, scope: &Scope, page: &Page<RuleName>) -> Listing<RuleView, RuleName> {
    let views = config.rules.iter().map(|rule| RuleView::of(config, scope, rule));
    let of_scope = views.filter(|rule| scope.is_all() || !rule.tenants.is_empty());
    let mut rules: Vec<_> = of_scope.collect();
    if let Some(after) = &page.after {
        // One that was removed meanwhile is no place in the list: it begins again.
        let place = rules.iter().position(|rule| rule.name == *after).map_or(0, |place| place + 1);
        rules.drain(..place);
    }
    Listing::cut(rules, page, |last| last.name.clone())
}

/// The rule of that name.
///
/// # Errors
/// [`Error::NotFound`].
pub fn show(config: &Config, scope: &Scope, name: &str) -> Result<RuleView, Error> {
    let found = list(config, scope, &Page::ALL).items.into_iter().find(|rule| rule.name.as_str() == name);
    found.ok_or_else(|| Error::not_found(Thing::Rule, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_written_as_in_the_configuration() {
        for (condition, written) in [
            ("drop 3% within 12h", r#"{"drop":{"size":{"percent":3.0},"within":"12h","from":"best"}}"#),
            (
                "rise 2pts within 7d from previous",
                r#"{"rise":{"size":{"points":2.0},"within":"7d","from":"previous"}}"#,
            ),
            ("below 280.5", r#"{"below":280.5}"#),
            ("no data for 6h", r#"{"no_data":"6h"}"#),
        ] {
            let condition = Condition::from_words(condition).unwrap();
            assert_eq!(serde_json::to_string(&When::of(condition)).unwrap(), written);
        }
    }
}
