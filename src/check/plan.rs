//! What checks need from a configuration, and when each tenant is due by it.

use std::{sync::Arc, time::Duration};

use super::blind;
use crate::{
    config::{Config, Tenant},
    domain::Timestamp,
    rule::Rule,
    schedule::phase,
};

/// The configuration as checks need it.
#[derive(Debug)]
pub struct Plan {
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The operator's own rule.
    pub operator_rule: Option<Rule>,
}

impl Plan {
    /// Derives what checks need from a configuration.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        let operator_rule = blind::operator_rule(&config.operator);
        Self { config, operator_rule }
    }
}

/// When the tenant's next check is due.
#[must_use]
pub fn next_due(plan: &Plan, tenant: &Tenant, now: Timestamp) -> Timestamp {
    let phase = phase(tenant.id.as_str(), plan.config.spread);
    // A schedule without any further tick is asked again in a day, when the calendar may have one.
    tenant.schedule.next_due(now, phase).unwrap_or_else(|| now.plus(Duration::from_hours(24)))
}
