//! Valid configurations, built by hand.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};

use scorewatch::{
    channel::{self, ChannelKind, ChannelSettings, RetryBounds, Show, Webhook, WebhookUrl},
    config::{Config, Operator, StoreLocation, Tenant, Watched},
    domain::{ChannelName, Cloud, EntraTenantId, Labels, Reading, Sample, ScoreKind, TenantId, Timestamp},
    egress::Private,
    microsoft::{Account, AppCredential, Hosts},
    notify::language::Locale,
    notify::{fleet::FleetSettings, route::Audience},
    rule::{BaselineChoice, Change, Condition, Rule, RuleName, Size},
    schedule::Schedule,
    secret::SecretReference,
    template::Registry,
};
use uuid::Uuid;

/// A Monday, on a tick of [`SCHEDULE`].
pub(super) const START: i64 = 1_767_614_400; // 2026-01-05T12:00:00Z
pub(super) const SCHEDULE: &str = "0 */15 * * * *";
pub(super) const SCORE: ScoreKind = ScoreKind::DeviceSecureScore;
pub(super) const SECRET: &str = "s+e%c~r&et";

/// Compiled once: it takes a while.
static TEMPLATES: LazyLock<Arc<Registry>> = LazyLock::new(|| Arc::new(channel::templates(None).unwrap()));

/// That many minutes after [`START`].
pub(super) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_seconds(START + minutes * 60)
}

pub(super) fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

pub(super) fn tenant_id(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

pub(super) fn channel_name(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

pub(super) fn channels(names: &[&str]) -> Vec<ChannelName> {
    names.iter().map(|name| channel_name(name)).collect()
}

pub(super) fn rule_name(name: &str) -> RuleName {
    RuleName::parse(name).unwrap()
}

/// A tenant's directory, made from its slug.
pub(super) fn entra(id: &str) -> EntraTenantId {
    EntraTenantId(Uuid::from_u128(id.bytes().fold(7, |hash, byte| hash * 131 + u128::from(byte))))
}

pub(super) fn app() -> Uuid {
    Uuid::from_u128(0xa99)
}

/// No tenants, rules or channels; nobody is notified when tenants can't be read.
pub(super) fn config() -> Config {
    Config {
        folder: std::path::PathBuf::new(),
        is_partial: false,
        written: Arc::default(),
        store: StoreLocation::Sqlite("data/s.db".into()),
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: None,
        metrics: scorewatch::config::MetricsSettings::default(),
        brand: scorewatch::domain::Brand::default(),
        timezone: scorewatch::schedule::Zone::utc(),
        spread: Duration::ZERO,
        timeout: Duration::from_secs(30),
        concurrency: 8,
        retention: Duration::from_hours(24 * 400),
        tenants: std::collections::BTreeMap::default(),
        rules: Vec::new(),
        channels: std::collections::BTreeMap::default(),
        templates: TEMPLATES.clone(),
        operator: Operator { notify: Vec::new(), blind_after: minutes(120) },
        fleet: FleetSettings::default(),
        maintenance: Vec::new(),
        access: scorewatch::config::access::AccessSettings::default(),
        exclusions: Vec::new(),
        secrets: Vec::new().into(),
        watched: Watched::default(),
        findings: Arc::default(),
        secret_stores: scorewatch::secret_store::SecretStores::default(),
    }
}

/// A tenant of the simulated cloud at `base_url`, whose secret lies in `folder`; checked every 15 minutes.
pub(super) fn tenant(id: &str, base_url: &str, folder: &Path) -> Tenant {
    let secret = folder.join("secret");
    if !secret.exists() {
        std::fs::write(&secret, SECRET).unwrap();
    }
    let hosts = Hosts {
        login: base_url.to_owned(),
        defender: base_url.to_owned(),
        loopback: true,
        ..Hosts::of(Cloud::Commercial, None)
    };
    Tenant {
        id: tenant_id(id),
        name: format!("{id} Ltd").into(),
        labels: Arc::new(Labels::new()),
        account: Account {
            tenant: tenant_id(id),
            entra: entra(id),
            hosts: Arc::new(hosts),
            app: Arc::new(AppCredential::with_secret(app(), SecretReference::File(secret))),
        },
        schedule: Arc::new(Schedule::parse(SCHEDULE, "UTC".parse().unwrap()).unwrap()),
        scores: Arc::new([SCORE]),
        language: scorewatch::domain::Language::default(),
        notify: Vec::new(),
    }
}

/// A rule on the device score that notifies `soc`.
pub(super) fn rule(name: &str, when: Condition) -> Rule {
    Rule { score: Some(SCORE), notify: channels(&["soc"]), ..Rule::new(rule_name(name), when) }
}

pub(super) fn drop_of(percent: f64) -> Condition {
    Condition::Drop(Change {
        size: Size::Percent(percent),
        within: Duration::from_hours(24),
        from: BaselineChoice::Best,
    })
}

/// An unfenced webhook without pace.
pub(super) fn channel(name: &str, url: &str) -> ChannelSettings {
    ChannelSettings {
        locale: Locale::default(),
        name: channel_name(name),
        kind: ChannelKind::Webhook(Webhook { url: WebhookUrl::Open(url.to_owned()), signing_secrets: Vec::new() }),
        audience: Audience::default(),
        show: Show { labels: true, about: true },
        pace: Duration::ZERO,
        retry: RetryBounds {
            first: Duration::from_secs(2),
            max: Duration::from_mins(15),
            give_up: Duration::from_hours(24),
        },
        timeout: Duration::from_hours(1),
        private: Private::Any,
        template: None,
        digest_over: 20,
        drill: Some(Duration::from_hours(30 * 24)),
        report: None,
        month: None,
    }
}

/// Changes that tests make to configurations.
pub(super) trait Build {
    fn with_tenant(self, tenant: Tenant) -> Self;
    fn with_rule(self, rule: Rule) -> Self;
    fn with_channel(self, channel: ChannelSettings) -> Self;
}

impl Build for Config {
    fn with_tenant(mut self, tenant: Tenant) -> Self {
        self.tenants.insert(tenant.id.clone(), Arc::new(tenant));
        self
    }

    fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    fn with_channel(mut self, channel: ChannelSettings) -> Self {
        self.channels.insert(channel.name.clone(), Arc::new(channel));
        self
    }
}

pub(super) fn sample(at: Timestamp, value: f64) -> Sample {
    Sample { at, value }
}

pub(super) fn reading(at: Timestamp, value: f64) -> Reading {
    Reading { score: SCORE, subject: None, sample: sample(at, value), points: None }
}
