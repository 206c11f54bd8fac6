//! Rules: what each says, and to which tenants it applies. A limited scope sees the rules that apply to one of its tenants.

use serde::Serialize;

use super::{Error, Listing, Page, error::Thing};
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Scope, ScoreKind, Selector, Severity, TenantId},
    rule::{Condition, FlapLimit, Recover, Rule, RuleName, Size},
};

/// A rule, and to which tenants it applies.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Rule")]
pub struct RuleView {
    /// The rule's name.
    pub name: RuleName,
    /// What it is for, in its author's words.
    pub about: Option<String>,
    /// What to do when it fires: a link or a text.
    pub runbook: Option<String>,
    /// The score that it judges; null: every score of the tenant, as one.
    pub score: Option<ScoreKind>,
    /// The labels that a tenant must have.
    pub labels: Selector,
    /// Its condition, in words.
    pub condition: String,
    /// The condition under which the alert fires.
    pub when: Condition,
    /// What must hold for the alert to be over; null: the condition no longer holds.
    pub recover: Option<Recover>,
    /// How long the condition must have held, in seconds.
    pub for_seconds: u64,
    /// How bad it is.
    pub severity: Severity,
    /// The time between reminders, in seconds; null: there are none.
    pub repeat_seconds: Option<u64>,
    /// How much further it must move to be reported as worsened again.
    pub step: Option<Size>,
    /// After how many seconds a loss is accepted as the new level; null: never.
    pub accept_after_seconds: Option<u64>,
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

impl RuleView {
    fn of(config: &Config, scope: &Scope, rule: &Rule) -> Self {
        let of_scope = || config.tenants.values().filter(|tenant| scope.includes(&tenant.id));
        let is_seen = |channel: &&ChannelName| {
            let settings = config.channels.get(*channel);
            scope.is_all()
                || settings.is_some_and(|settings| {
                    of_scope().any(|tenant| settings.audience.admits(&tenant.id, &tenant.labels))
                })
        };
        let text = |text: &Option<std::sync::Arc<str>>| text.as_ref().map(ToString::to_string);
        Self {
            name: rule.name.clone(),
            about: text(&rule.guide.about),
            runbook: text(&rule.guide.runbook),
            score: rule.score,
            labels: rule.tenants.clone(),
            condition: rule.when.to_string(),
            when: rule.when,
            recover: rule.recover,
            for_seconds: rule.hold.as_secs(),
            severity: rule.severity,
            repeat_seconds: rule.repeat.map(|repeat| repeat.as_secs()),
            step: rule.step,
            accept_after_seconds: rule.accept_after.map(|after| after.as_secs()),
            flapping_changes: rule.flapping.map(|FlapLimit { changes, .. }| changes),
            notify: rule.notify.iter().filter(is_seen).cloned().collect(),
            tenant_channels: rule.tenant_channels,
            fleet: rule.fleet,
            tenants: of_scope().filter(|tenant| applies(rule, tenant)).map(|tenant| tenant.id.clone()).collect(),
        }
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
