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

/// How many tenants that were never checked are checked without a wait: as many as are checked at a time by default.
const FIRST_AT_ONCE: u32 = 256;
/// The others follow at this rate, so that a large fleet that is new does not run into the limits of Microsoft's sign-in.
const FIRST_PER_SECOND: u32 = 50;

/// When a tenant that was never checked is due, if its schedule does not say so earlier. `place`: its place among all that were not.
#[must_use]
pub fn first_due(place: u32, now: Timestamp) -> Timestamp {
    let later = place.saturating_sub(FIRST_AT_ONCE - 1);
    now.plus(Duration::from_secs(1) * later / FIRST_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_checks_of_many_tenants_are_spread() {
        for (place, millis) in
            [(0, 0), (255, 0), (256, 20), (305, 1_000), (10_255, 200_000), (u32::MAX, 85_899_340_800)]
        {
            let due = first_due(place, Timestamp::EPOCH);
            assert_eq!(due.since(Timestamp::EPOCH), Duration::from_millis(millis), "{place}");
        }
    }
}
