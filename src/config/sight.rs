//! What each channel can ever show: its audience, and who sends there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Config;
use crate::domain::{ChannelName, TenantId};

/// What one channel can show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Sight {
    /// Whether it has no audience, and may show tenants yet to come as well.
    pub open: bool,
    /// The tenants that its audience admits: it never shows any other.
    pub may_show: BTreeSet<TenantId>,
    /// The rules that send there, each with the tenants of which it does.
    pub rules: BTreeMap<String, BTreeSet<TenantId>>,
    /// The tenants that name it themselves: every rule that selects one of them sends there, except with `tenant_channels: off`.
    pub named_by: BTreeSet<TenantId>,
    /// Whether operator messages are sent there, about any tenant.
    pub operator: bool,
    /// Whether it gets reports on every tenant that it may show.
    pub report: bool,
}

impl Sight {
    /// The tenants of which something is sent there as the configuration now is.
    #[must_use]
    pub fn shown(&self) -> BTreeSet<TenantId> {
        let all = (self.operator || self.report).then_some(&self.may_show).into_iter().flatten();
        self.rules.values().flatten().chain(all).cloned().collect()
    }
}

impl Config {
    /// What each channel can ever show.
    #[must_use]
    pub fn sights(&self) -> BTreeMap<ChannelName, Sight> {
        let sight = |name: &ChannelName| {
            let settings = &self.channels[name];
            let admits = |tenant: &&std::sync::Arc<super::Tenant>| settings.audience.admits(&tenant.id, &tenant.labels);
            let admitted: Vec<_> = self.tenants.values().filter(admits).collect();
            let names = |tenant: &super::Tenant| tenant.notify.contains(name);
            let mut rules = BTreeMap::new();
            for rule in &self.rules {
                let is_sent = |tenant: &super::Tenant| {
                    let is_judged = tenant.scores.iter().any(|score| rule.applies_to(&tenant.labels, *score));
                    let escalates = rule.escalate.iter().any(|step| step.notify.contains(name));
                    is_judged && (escalates || rule.notify.contains(name) || (rule.tenant_channels && names(tenant)))
                };
                let of: BTreeSet<_> =
                    admitted.iter().filter(|tenant| is_sent(tenant)).map(|tenant| tenant.id.clone()).collect();
                if !of.is_empty() {
                    rules.insert(rule.name.to_string(), of);
                }
            }
            Sight {
                open: settings.audience.is_open(),
                may_show: admitted.iter().map(|tenant| tenant.id.clone()).collect(),
                rules,
                named_by: admitted.iter().filter(|tenant| names(tenant)).map(|tenant| tenant.id.clone()).collect(),
                operator: self.operator.notify.contains(name),
                report: settings.report.is_some() || settings.month.is_some(),
            }
        };
        self.channels.keys().map(|name| (name.clone(), sight(name))).collect()
    }
}
