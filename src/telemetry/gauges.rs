//! How the store stands, as gauges of one scrape. They are made again each time, so nothing that is gone lingers.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::domain::{ChannelName, ScoreKind, TenantId};

/// What every name begins with.
pub(super) const PREFIX: &str = "scorewatch";

/// Counts out of the store at the time of a scrape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gauges {
    /// How many tenants the store knows.
    pub tenants: u64,
    /// Tenants whose checks fail.
    pub failing: u64,
    /// The same by the text form of their newest failure's class.
    pub failing_by_class: Vec<(String, u64)>,
    /// How many alerts wait for their `for`.
    pub pending: u64,
    /// How many alerts fire now.
    pub firing: u64,
    /// Unfinished and dead deliveries by channel and the text form of their state.
    pub deliveries: Vec<(ChannelName, &'static str, u64)>,
    /// Numbers of channels by state.
    pub channels: ChannelCounts,
    /// The channels that reject everything they are sent.
    pub parked: Vec<ChannelName>,
    /// Whether no channel of the operator works, or none is named.
    pub operator_unreachable: bool,
    /// By channel, how long its oldest unfinished delivery has been queued.
    pub oldest_queued: Vec<(ChannelName, Duration)>,
    /// The services that share the store; `None`: only one process may have it.
    pub replicas: Option<ReplicaCounts>,
    /// The newest reading of each score of each tenant; empty unless the configuration asks for them.
    pub scores: Vec<TenantScore>,
}

/// The newest reading of a score of a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantScore {
    /// The id of a tenant in the configuration.
    pub tenant: TenantId,
    /// The kind of score.
    pub score: ScoreKind,
    /// Of which of several values.
    pub subject: Option<String>,
    /// The value, in the score's own unit.
    pub value: f64,
    /// How long ago it was observed.
    pub age: Duration,
}

/// How many services share the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplicaCounts {
    /// Those whose lease is good.
    pub living: u64,
    /// Those of them that run another configuration than the lead.
    pub of_other_configuration: u64,
    /// The shards that this process owns.
    pub owned_shards: u64,
}

/// How many channels stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelCounts {
    /// They take what they are sent.
    pub ok: u64,
    /// Their receivers don't answer as they should.
    pub failing: u64,
    /// Channels that are parked because their receiver rejects everything.
    pub parked: u64,
    /// Whatever their state, they have long not been proven.
    pub unproven: u64,
}

type Count = Gauge<u64, AtomicU64>;
type Seconds = Gauge<f64, AtomicU64>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    channel: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabels {
    channel: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ScoreLabels {
    tenant: String,
    score: &'static str,
    subject: String,
}

/// Adds the scores of tenants. Where there are none, there is nothing to say of them.
fn register_scores(registry: &mut Registry, scores: &[TenantScore]) {
    if scores.is_empty() {
        return;
    }
    let (values, ages) = (Family::<ScoreLabels, Seconds>::default(), Family::<ScoreLabels, Seconds>::default());
    for TenantScore { tenant, score, subject, value, age } in scores {
        let subject = subject.clone().unwrap_or_default();
        let labels = ScoreLabels { tenant: tenant.to_string(), score: score.as_str(), subject };
        values.get_or_create(&labels).set(*value);
        ages.get_or_create(&labels).set(age.as_secs_f64());
    }
    registry.register(
        "tenant_score",
        "Newest value of a tenant's score; only with `metrics: { tenants: true }`",
        values,
    );
    let help = "Time since that value was observed; only with `metrics: { tenants: true }`";
    registry.register_with_unit("tenant_score_age", help, Unit::Seconds, ages);
}

pub(super) fn registry(gauges: &Gauges) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register("tenants", "Known tenants", count(gauges.tenants));
    registry.register("tenants_failing", "Tenants whose checks are failing", count(gauges.failing));

    let failing = Family::<ClassLabels, Count>::default();
    for (class, number) in &gauges.failing_by_class {
        failing.get_or_create(&ClassLabels { class: class.clone() }).set(*number);
    }
    registry.register("tenants_failing_by_class", "Tenants whose checks are failing, by class", failing);

    let alerts = Family::<StateLabels, Count>::default();
    alerts.get_or_create(&StateLabels { state: "pending" }).set(gauges.pending);
    alerts.get_or_create(&StateLabels { state: "firing" }).set(gauges.firing);
    registry.register("alerts", "Alerts, by state", alerts);

    let channels = Family::<StateLabels, Count>::default();
    let ChannelCounts { ok, failing, parked, unproven } = gauges.channels;
    for (state, number) in [("ok", ok), ("failing", failing), ("parked", parked)] {
        channels.get_or_create(&StateLabels { state }).set(number);
    }
    registry.register("channels", "Configured channels, by state", channels);
    registry.register(
        "channels_unproven",
        "Channels that have not been proven to work for a long time",
        count(unproven),
    );

    let parked = Family::<ChannelLabels, Count>::default();
    for channel in &gauges.parked {
        parked.get_or_create(&ChannelLabels { channel: channel.as_str().to_owned() }).set(1);
    }
    registry.register("channel_parked", "Channels that reject everything they are sent", parked);
    registry.register(
        "operator_unreachable",
        "Whether none of the operator's channels works",
        count(u64::from(gauges.operator_unreachable)),
    );

    let deliveries = Family::<DeliveryLabels, Count>::default();
    for (channel, state, number) in &gauges.deliveries {
        deliveries.get_or_create(&DeliveryLabels { channel: channel.as_str().to_owned(), state }).set(*number);
    }
    registry.register("deliveries", "Unfinished and dead deliveries, by channel and state", deliveries);

    let oldest = Family::<ChannelLabels, Seconds>::default();
    for (channel, age) in &gauges.oldest_queued {
        oldest.get_or_create(&ChannelLabels { channel: channel.as_str().to_owned() }).set(age.as_secs_f64());
    }
    registry.register_with_unit(
        "oldest_queued_age",
        "Age of the oldest unfinished delivery, by channel",
        Unit::Seconds,
        oldest,
    );
    if let Some(replicas) = gauges.replicas {
        register_replicas(&mut registry, replicas);
    }
    register_scores(&mut registry, &gauges.scores);
    registry
}

fn register_replicas(registry: &mut Registry, replicas: ReplicaCounts) {
    let ReplicaCounts { living, of_other_configuration, owned_shards } = replicas;
    registry.register("replicas", "Services that share a PostgreSQL store", count(living));
    let help = "Services among them that run another configuration or version than the one that leads";
    registry.register("replicas_differing", help, count(of_other_configuration));
    registry.register(
        "shards_owned",
        "Of 64 shards of tenants and channels, those of this process",
        count(owned_shards),
    );
}

fn count(number: u64) -> Count {
    let gauge = Count::default();
    gauge.set(number);
    gauge
}
