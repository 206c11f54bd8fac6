//! Who is notified of an alert, by this configuration.

use super::{Config, Tenant};
use crate::{
    domain::ChannelName,
    notify::{NotificationType, route::route},
    rule::{AlertKey, Rule},
};

impl Config {
    /// The channels that a rule's alert of a tenant notifies after `escalated` escalation steps, and those that the
    /// rule or the tenant names and whose audience keeps them out.
    #[must_use]
    pub fn routes(&self, rule: &Rule, tenant: &Tenant, escalated: u32) -> (Vec<ChannelName>, Vec<ChannelName>) {
        route(rule, &tenant.notify, escalated).into_iter().partition(|channel| self.may_show(channel, tenant))
    }

    /// The channels that an alert notifies after `escalated` escalation steps; `None`: its rule or tenant is gone.
    #[must_use]
    pub fn route_of(&self, alert: &AlertKey, escalated: u32) -> Option<Vec<ChannelName>> {
        let tenant = self.tenants.get(&alert.tenant)?;
        if alert.rule.as_str() == NotificationType::OperatorBlind.as_str() {
            return Some(
                self.operator.notify.iter().filter(|channel| self.may_show(channel, tenant)).cloned().collect(),
            );
        }
        let applies = |rule: &&std::sync::Arc<Rule>| {
            rule.name == alert.rule
                && match alert.score {
                    Some(score) => rule.applies_to(&tenant.labels, score) && tenant.scores.contains(&score),
                    // Of the whole tenant.
                    None => rule.is_no_data() && rule.score.is_none() && rule.tenants.matches(&tenant.labels),
                }
        };
        self.rules.iter().find(applies).map(|rule| self.routes(rule, tenant, escalated).0)
    }

    /// The operator's channels that may show everything.
    #[must_use]
    pub fn operator_channels(&self) -> Vec<ChannelName> {
        let is_open = |name: &&ChannelName| self.channels.get(*name).is_some_and(|channel| channel.audience.is_open());
        self.operator.notify.iter().filter(is_open).cloned().collect()
    }

    fn may_show(&self, channel: &ChannelName, tenant: &Tenant) -> bool {
        self.channels.get(channel).is_some_and(|settings| settings.audience.admits(&tenant.id, &tenant.labels))
    }
}
