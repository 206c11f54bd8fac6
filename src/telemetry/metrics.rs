//! Counters and gauges, in `OpenMetrics` text. No label carries a tenant, as there may be a
//! million, unless the configuration asks for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use super::gauges::{self, PREFIX};
use crate::{
    domain::{ChannelName, Timestamp},
    task,
};

pub use super::gauges::{ChannelCounts, Gauges, ReplicaCounts, TenantScore};

/// Upper bounds, in seconds: from a good tick to a quarter of an hour, the usual interval.
const LATENESS_S: [f64; 10] = [0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0];

/// Upper bounds, in seconds: from a receiver nearby to an attempt that ran out of time.
const ATTEMPT_S: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0];

/// Every counter of the process. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    registry: Registry,
    checks: Family<Outcome, Counter>,
    /// The usual outcomes, at hand so that counting them neither allocates nor searches.
    checks_ok: Counter,
    lateness: Histogram,
    tokens: Family<Outcome, Counter>,
    tokens_ok: Counter,
    notifications: Family<Kind, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    attempt_duration: Histogram,
    reloads: Family<Outcome, Counter>,
    configuration_rejected: Gauge<u64, AtomicU64>,
    heartbeats_missed: Counter,
    secrets_unreadable: Family<UserLabels, Gauge<u64, AtomicU64>>,
    ready: Family<PartLabels, Gauge<u64, AtomicU64>>,
    started: Gauge<f64, AtomicU64>,
    credential_expiry: Family<Kind, Gauge<f64, AtomicU64>>,
}

/// A part of the service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PartLabels {
    part: &'static str,
}

/// Who can't be used for want of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UserLabels {
    used_by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    r#type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    channel: String,
    outcome: String,
}

/// The outcome that is counted without a search.
const OK: &str = "ok";

impl Outcome {
    fn new(outcome: &str) -> Self {
        Self { outcome: outcome.to_owned() }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { inner: Arc::new(Inner::new()) }
    }
}

impl Inner {
    fn new() -> Self {
        let checks = Family::<Outcome, Counter>::default();
        let tokens = Family::<Outcome, Counter>::default();
        let mut inner = Self {
            registry: Registry::with_prefix(PREFIX),
            checks_ok: checks.get_or_create_owned(&Outcome::new(OK)),
            checks,
            lateness: Histogram::new(LATENESS_S),
            tokens_ok: tokens.get_or_create_owned(&Outcome::new(OK)),
            tokens,
            notifications: Family::default(),
            attempts: Family::default(),
            attempt_duration: Histogram::new(ATTEMPT_S),
            reloads: Family::default(),
            configuration_rejected: Gauge::default(),
            heartbeats_missed: Counter::default(),
            secrets_unreadable: Family::default(),
            ready: Family::default(),
            started: Gauge::default(),
            credential_expiry: Family::default(),
        };
        inner.register();
        inner
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The running version", build);
        registry.register("checks", "Finished checks, by outcome", self.checks.clone());
        registry.register_with_unit(
            "check_lateness",
            "Delay between the due time of a check and its start",
            Unit::Seconds,
            self.lateness.clone(),
        );
        registry.register("token_requests", "Token requests, by outcome", self.tokens.clone());
        registry.register("notifications", "Committed notifications, by type", self.notifications.clone());
        registry.register("delivery_attempts", "Delivery attempts, by channel and outcome", self.attempts.clone());
        registry.register_with_unit(
            "delivery_attempt_duration",
            "Duration of a delivery attempt",
            Unit::Seconds,
            self.attempt_duration.clone(),
        );
        registry.register("reloads", "Loads of the configuration, by outcome", self.reloads.clone());
        registry.register(
            "configuration_rejected",
            "Whether the changed configuration was rejected, so that an old one is in force",
            self.configuration_rejected.clone(),
        );
        let missed = self.heartbeats_missed.clone();
        registry.register(
            "watchdog_missed",
            "Times that a part of the service made no progress for half the watchdog's interval",
            missed,
        );
        registry.register(
            "secrets_unreadable",
            "Tenants and channels that can't be used because one of their secrets can't be read",
            self.secrets_unreadable.clone(),
        );
        let ready = self.ready.clone();
        registry.register("ready", "Whether a part of the service does its work, as `/readyz` says, by part", ready);
        let help = "When the service started, in Unix time";
        registry.register_with_unit("start_time", help, Unit::Seconds, self.started.clone());
        registry.register_with_unit(
            "credential_expiry_timestamp",
            "When the first app can no longer sign in, as far as expiries are known, in Unix time, by type of credential",
            Unit::Seconds,
            self.credential_expiry.clone(),
        );
    }
}

/// The class of a tenant whose secret can't be read.
const SECRET_UNREADABLE: &str = "secret-unreadable";

impl Metrics {
    /// A check ended; `outcome` is `ok` or a failure class's text form. `lateness` is how long after its due instant it began.
    pub fn check_finished(&self, outcome: &str, lateness: Duration) {
        count(outcome, &self.inner.checks_ok, &self.inner.checks);
        self.inner.lateness.observe(lateness.as_secs_f64());
    }

    /// Entra was asked for a token; `outcome` is `ok` or a failure class's text form.
    pub fn token_requested(&self, outcome: &str) {
        count(outcome, &self.inner.tokens_ok, &self.inner.tokens);
    }

    /// A transition was committed; `kind` is a notification type's text form.
    pub fn notification_made(&self, kind: &str) {
        self.inner.notifications.get_or_create(&Kind { r#type: kind.to_owned() }).inc();
    }

    /// A delivery was attempted; `outcome` is `delivered`, `retry`, `dead` or `parked`. `duration` is the attempt's.
    pub fn attempt_made(&self, channel: &ChannelName, outcome: &str, duration: Duration) {
        let labels = AttemptLabels { channel: channel.as_str().to_owned(), outcome: outcome.to_owned() };
        self.inner.attempts.get_or_create(&labels).inc();
        self.inner.attempt_duration.observe(duration.as_secs_f64());
    }

    /// A configuration was taken (`true`) or refused.
    pub fn reloaded(&self, taken: bool) {
        let outcome = if taken { "taken" } else { "refused" };
        self.inner.reloads.get_or_create(&Outcome::new(outcome)).inc();
        self.inner.configuration_rejected.set(u64::from(!taken));
    }

    /// A part of the service showed no progress to the watchdog for too long.
    pub fn heartbeat_missed(&self) {
        self.inner.heartbeats_missed.inc();
    }

    /// Notes when the service started, as seconds since the epoch.
    pub fn started(&self, at: Timestamp) {
        self.inner.started.set(unix(at));
    }

    /// Whether a part of the service does its work.
    pub fn part_is_ready(&self, part: &'static str, is_ready: bool) {
        self.inner.ready.get_or_create(&PartLabels { part }).set(u64::from(is_ready));
    }

    /// Of each type of credential, when the first app can no longer sign in; types that are not named have no known end.
    pub fn credentials_expire(&self, first: &BTreeMap<&'static str, Timestamp>) {
        self.inner.credential_expiry.clear();
        for (r#type, at) in first {
            self.inner.credential_expiry.get_or_create(&Kind { r#type: (*r#type).to_owned() }).set(unix(*at));
        }
    }

    /// The most channels that have a secret that can't be read now.
    pub fn channel_secrets_unreadable(&self, channels: usize) {
        self.unreadable("channel", u64::try_from(channels).unwrap_or(u64::MAX));
    }

    fn unreadable(&self, used_by: &'static str, number: u64) {
        self.inner.secrets_unreadable.get_or_create(&UserLabels { used_by }).set(number);
    }

    /// Everything as `OpenMetrics` text; with gauges from the store's standing unless it could not be read.
    #[must_use]
    pub fn render(&self, gauges: Option<&Gauges>) -> String {
        if let Some(gauges) = gauges {
            let of_class = gauges.failing_by_class.iter().find(|(class, _)| class == SECRET_UNREADABLE);
            self.unreadable("tenant", of_class.map_or(0, |(_, tenants)| *tenants));
        }
        let mut page = String::new();
        // Writing to a string fails only where a label's own encoding does, and texts and numbers don't.
        let _ = text::encode_registry(&mut page, &self.inner.registry);
        let _ = text::encode_registry(&mut page, &tasks());
        if let Some(gauges) = gauges {
            let _ = text::encode_registry(&mut page, &gauges::registry(gauges));
        }
        let _ = text::encode_eof(&mut page);
        page
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TaskLabels {
    task: &'static str,
}

/// The instant as monitoring systems compare it with their own clock.
fn unix(at: Timestamp) -> f64 {
    Duration::from_nanos(at.as_nanos().unsigned_abs()).as_secs_f64()
}

/// What happened to the tasks of this process.
fn tasks() -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let families: [Family<TaskLabels, Counter>; 3] = Default::default();
    for (task, counts) in task::counts() {
        for (family, count) in families.iter().zip([counts.panics, counts.restarts, counts.deaths]) {
            family.get_or_create(&TaskLabels { task }).inc_by(count);
        }
    }
    let [panics, restarts, deaths] = families;
    registry.register("task_panics", "Task panics, which are bugs in scorewatch, by task", panics);
    registry.register("task_restarts", "Tasks restarted after a panic, by task", restarts);
    registry.register("task_deaths", "Parts of the service that ended before shutdown, by task", deaths);
    registry
}

fn count(outcome: &str, ok: &Counter, all: &Family<Outcome, Counter>) {
    if outcome == OK {
        ok.inc();
    } else {
        all.get_or_create(&Outcome::new(outcome)).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str) -> ChannelName {
        ChannelName::parse(name).unwrap()
    }

    fn lines(page: &str) -> Vec<&str> {
        page.lines().filter(|line| !line.starts_with('#')).collect()
    }

    #[test]
    fn clones_count_together_under_the_published_names() {
        let metrics = Metrics::default();
        let clone = metrics.clone();
        metrics.check_finished("ok", Duration::from_millis(50));
        clone.check_finished("ok", Duration::from_millis(50));
        clone.check_finished("consent-missing", Duration::from_secs(2000));
        metrics.token_requested("ok");
        metrics.token_requested("throttled");
        metrics.notification_made("alert.firing");
        metrics.attempt_made(&channel("soc-teams"), "delivered", Duration::from_millis(300));
        metrics.reloaded(true);
        metrics.reloaded(false);
        let page = metrics.render(None);
        let lines = lines(&page);
        for expected in [
            concat!("scorewatch_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "scorewatch_checks_total{outcome=\"ok\"} 2",
            "scorewatch_checks_total{outcome=\"consent-missing\"} 1",
            "scorewatch_check_lateness_seconds_bucket{le=\"0.01\"} 0",
            "scorewatch_check_lateness_seconds_bucket{le=\"0.1\"} 2",
            "scorewatch_check_lateness_seconds_bucket{le=\"+Inf\"} 3",
            "scorewatch_token_requests_total{outcome=\"ok\"} 1",
            "scorewatch_token_requests_total{outcome=\"throttled\"} 1",
            "scorewatch_notifications_total{type=\"alert.firing\"} 1",
            "scorewatch_delivery_attempts_total{channel=\"soc-teams\",outcome=\"delivered\"} 1",
            "scorewatch_delivery_attempt_duration_seconds_count 1",
            "scorewatch_reloads_total{outcome=\"taken\"} 1",
            "scorewatch_reloads_total{outcome=\"refused\"} 1",
        ] {
            assert!(lines.contains(&expected), "{expected} is not in\n{page}");
        }
    }

    #[test]
    fn a_page_ends_once_and_without_the_store_it_has_no_gauges() {
        let metrics = Metrics::default();
        let without = metrics.render(None);
        assert!(without.ends_with("# EOF\n") && !without.contains("scorewatch_tenants"));
        let with = metrics.render(Some(&Gauges::default()));
        assert_eq!(with.matches("# EOF").count(), 1);
        assert!(with.ends_with("# EOF\n") && with.contains("scorewatch_tenants 0"));
    }

    #[test]
    fn what_is_gone_from_the_store_is_gone_from_the_page() {
        let metrics = Metrics::default();
        let gauges = Gauges {
            tenants: 3,
            failing: 1,
            failing_by_class: vec![("secret-unreadable".to_owned(), 1)],
            pending: 2,
            firing: 4,
            channels: ChannelCounts { ok: 2, failing: 0, parked: 1, unproven: 1 },
            deliveries: vec![(channel("soar"), "queued", 7), (channel("soar"), "dead", 1)],
            oldest_queued: vec![(channel("soar"), Duration::from_millis(1500))],
            parked: vec![channel("soar")],
            operator_unreachable: true,
            replicas: None,
            scores: vec![TenantScore {
                tenant: crate::domain::TenantId::parse("contoso").unwrap(),
                score: crate::domain::ScoreKind::DeviceSecureScore,
                subject: None,
                value: 412.5,
                age: Duration::from_secs(90),
            }],
        };
        metrics.channel_secrets_unreadable(2);
        let page = metrics.render(Some(&gauges));
        let lines = lines(&page);
        for expected in [
            "scorewatch_tenants 3",
            "scorewatch_tenants_failing 1",
            "scorewatch_alerts{state=\"pending\"} 2",
            "scorewatch_alerts{state=\"firing\"} 4",
            "scorewatch_channels{state=\"parked\"} 1",
            "scorewatch_channels_unproven 1",
            "scorewatch_channel_parked{channel=\"soar\"} 1",
            "scorewatch_operator_unreachable 1",
            "scorewatch_secrets_unreadable{used_by=\"tenant\"} 1",
            "scorewatch_secrets_unreadable{used_by=\"channel\"} 2",
            "scorewatch_deliveries{channel=\"soar\",state=\"queued\"} 7",
            "scorewatch_deliveries{channel=\"soar\",state=\"dead\"} 1",
            "scorewatch_oldest_queued_age_seconds{channel=\"soar\"} 1.5",
            "scorewatch_tenant_score{tenant=\"contoso\",score=\"device-secure-score\",subject=\"\"} 412.5",
            "scorewatch_tenant_score_age_seconds{tenant=\"contoso\",score=\"device-secure-score\",subject=\"\"} 90.0",
        ] {
            assert!(lines.contains(&expected), "{expected} is not in\n{page}");
        }
        assert!(!metrics.render(Some(&Gauges::default())).contains("soar"));
    }
}
