//! How close the operator is to being notified of a tenant that can't be read, by what the store has. Writes nothing.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{OPERATOR_BLIND, downtime_between, firing_of, notified_after};
use crate::{
    check::outage::Cause,
    config::{Config, Tenant},
    domain::{ChannelName, Timestamp},
    store::{Downtime, Outage, TenantRecord},
};

/// Why the operator was, or was not, notified that a tenant can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "stage", rename_all = "kebab-case")]
#[schemars(rename = "BlindnessStage")]
pub enum Stage {
    /// Nobody is to be notified: `operator.notify` names no channel.
    NobodyListens,
    /// The tenant was never checked.
    Unchecked,
    /// Its last check succeeded.
    Readable {
        /// When the tenant was last checked.
        checked_at: Option<Timestamp>,
    },
    /// Its checks fail, but not for long enough.
    NotYet {
        /// For how long they have failed, not counting the service's own downtime.
        #[serde(rename = "lasted_seconds", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        lasted: Duration,
        /// The service's own downtime in that time.
        #[serde(rename = "downtime_s", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        downtime: Duration,
        /// For how long they must: see [`notified_after`].
        #[serde(rename = "needed_s", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        needed: Duration,
        /// When it is reported if they continue to fail.
        due_at: Timestamp,
    },
    /// They have failed for long enough: the next evaluation reports it, on its own or as part of an outage.
    Due,
    /// The operator was notified of this tenant on its own.
    Reported {
        /// The channels that were notified.
        notified_channels: Vec<ChannelName>,
    },
    /// The reason is that of an ongoing outage, which is reported instead.
    InOutage {
        /// The reason, as the store has it.
        cause: String,
        /// The time since when this has been so.
        since: Timestamp,
        /// How many tenants it has hit so far.
        tenants: usize,
        /// When the operator was notified of it; `None`: it is too young.
        notified_at: Option<Timestamp>,
        /// The channels that were notified.
        notified_channels: Vec<ChannelName>,
    },
    /// An outage that had hit it is over, and its next check says whether it can be read again.
    AfterOutage {
        /// When it was over.
        over_at: Timestamp,
    },
}

/// JSON has no durations.
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl Stage {
    /// How far it has come for this tenant. `outages`: those that go on, and those that were over lately.
    #[must_use]
    pub fn of(
        config: &Config,
        tenant: &Tenant,
        record: Option<&TenantRecord>,
        outages: &[Outage],
        downtimes: &[Downtime],
        now: Timestamp,
    ) -> Self {
        if config.operator.notify.is_empty() {
            return Self::NobodyListens;
        }
        let Some(record) = record else { return Self::Unchecked };
        let Some(failing) = &record.health.failing else {
            return Self::Readable { checked_at: record.health.checked_at };
        };
        let mut of_operator = record.alerts.iter().filter(|alert| alert.rule.as_str() == OPERATOR_BLIND);
        let alert = of_operator.find(|alert| firing_of(&alert.alert).is_some());
        if let Some(notified) = alert.filter(|alert| !alert.notified_channels.is_empty()) {
            return Self::Reported { notified_channels: notified.notified_channels.clone() };
        }
        let cause = Cause::of(tenant, &failing.class).map(|cause| cause.key());
        let of_cause = |outage: &&Outage| outage.over_at.is_none() && Some(&outage.cause) == cause.as_ref();
        if let Some(Outage { cause, since, tenants, notified_at, notified_channels, .. }) =
            outages.iter().find(of_cause)
        {
            let (cause, notified_channels, tenants) = (cause.clone(), notified_channels.clone(), tenants.len());
            return Self::InOutage { cause, since: *since, tenants, notified_at: *notified_at, notified_channels };
        }
        if alert.is_some() {
            let over =
                outages.iter().filter(|outage| outage.tenants.contains(&tenant.id)).filter_map(|one| one.over_at);
            let unchecked = |over: &Timestamp| record.health.checked_at.is_none_or(|at| at <= *over);
            return over.filter(unchecked).max().map_or(Self::Due, |over_at| Self::AfterOutage { over_at });
        }
        let downtime = downtime_between(downtimes, failing.since, now);
        let lasted = now.since(failing.since).saturating_sub(downtime);
        let needed = notified_after(&config.operator, &failing.class);
        if lasted >= needed {
            return Self::Due;
        }
        Self::NotYet { lasted, downtime, needed, due_at: failing.since.plus(needed).plus(downtime) }
    }

    /// Whether the operator was notified, of the tenant or of the outage that it is part of.
    #[must_use]
    pub const fn is_reported(&self) -> bool {
        matches!(self, Self::Reported { .. } | Self::InOutage { notified_at: Some(_), .. })
    }
}
