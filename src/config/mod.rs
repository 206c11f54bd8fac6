//! Configuration: read as written, validated into what is meant. A [`Config`] is a valid one.

pub mod access;
mod admit;
mod allow;
mod facts;

mod audiences;
mod channel;
mod client_secret;
mod credential;
mod database;
mod disguise;
mod draft;
mod endpoints;
mod examples;
mod excerpt;
mod exclusions;
mod field;
mod files;
mod follow;
mod gather;
pub mod import;
pub mod init;
mod links;
mod lint;
mod load;
mod maintenance;
mod marks;
mod matchers;
mod oidc;
mod outline;
mod pending;
mod place;
mod plain_name;
mod private;
mod raw;
mod receivers;
pub mod reload;
mod repeated;
mod route;
mod rules;
mod salvage;
pub mod schema;
mod scope;
mod secret_stores;
mod secrets;
mod seen;
mod settings;
mod sight;
mod spelling;
mod stored;
mod stores;
pub mod suite;
mod tenants;
#[cfg(test)]
mod tests;
mod times;
mod trial;
mod watched;
mod words;
mod world;
mod yaml;
mod zone_names;

pub use channel::{Answer, Asked, asked};
pub use database::{DatabaseLocation, DatabaseTls};
pub use exclusions::UnknownControl;
pub use load::{load, load_leniently, load_with};
pub use outline::{Fields, Outline};
pub use receivers::PlacedChannel;
pub use seen::Seen;
pub use settings::{listen_at, listen_of};
pub use sight::Sight;
pub(crate) use spelling::nearest;
pub use trial::{SecretUse, try_secrets};
pub use watched::Watched;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    channel::ChannelSettings,
    diagnostic::{Excerpts, Problem},
    domain::{Brand, ChannelName, Exclusion, Labels, Language, ScoreKind, TenantId, Timestamp},
    microsoft::Account,
    notify::{
        Envelope, Hold, Maintenance, NotificationId,
        fleet::{FleetSettings, watch},
    },
    rule::Rule,
    schedule::{Schedule, Zone},
    secret_store::SecretStores,
    zones::Zones,
};

/// The channels, by name.
type Channels = BTreeMap<ChannelName, Arc<ChannelSettings>>;

/// A valid configuration. Immutable and shared; a reload makes another one.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where its main file is; paths in it start from there.
    pub folder: PathBuf,
    /// Where the store is.
    pub store: StoreLocation,
    /// Where dashboard, API and metrics listen.
    pub listen: SocketAddr,
    /// What `/metrics` serves beyond counts.
    pub metrics: MetricsSettings,
    /// Base of links in messages, without a trailing slash.
    pub public_url: Option<String>,
    /// Who has to sign in and how, and under which names we are asked.
    pub access: access::AccessSettings,
    /// Whose reports these are.
    pub brand: Brand,
    /// The zone of schedules and windows that name none, of the times that commands print, and of the months of reports.
    pub timezone: Zone,
    /// The window over which a tick's tenants are spread.
    pub spread: Duration,
    /// One call to Microsoft, body included.
    pub timeout: Duration,
    /// Calls to Microsoft in flight.
    pub concurrency: usize,
    /// How long samples and finished deliveries are kept.
    pub retention: Duration,
    /// When many tenants' scores moving together are one notice.
    pub fleet: FleetSettings,
    /// Times that come round, in which notifications are suppressed.
    pub maintenance: Vec<Maintenance>,
    /// Controls of the secure score that do not count for some tenants.
    pub exclusions: Vec<Exclusion>,
    /// The tenants, by id.
    pub tenants: BTreeMap<TenantId, Arc<Tenant>>,
    /// The rules, by name.
    pub rules: Vec<Arc<Rule>>,
    /// The channels, by name.
    pub channels: BTreeMap<ChannelName, Arc<ChannelSettings>>,
    /// The templates, compiled and tried.
    pub templates: Arc<crate::template::Registry>,
    /// Who is notified when tenants can't be read.
    pub operator: Operator,
    /// What has to be asked for secrets; the references know their store.
    pub secret_stores: SecretStores,
    /// The secrets that it refers to, and where.
    pub secrets: Arc<[SecretUse]>,
    /// Where a change may make it another one.
    pub watched: Watched,
    /// What was found while it was read.
    pub findings: Arc<Findings>,
    /// What its files say, tenants aside.
    pub written: Arc<Outline>,
    /// Whether it is what can be read of a rejected one: there may be more tenants, rules and channels.
    pub is_partial: bool,
}

/// What was found while a configuration was read that is in force all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Its warnings, in file order; none that a comment switches off.
    pub warnings: Vec<Problem>,
    /// The release of the time zone data by which its schedules and windows are reckoned, and where that comes from.
    pub zone_data: String,
}

/// What `/metrics` serves beyond counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MetricsSettings {
    /// Whether each score of each tenant is a time series.
    pub tenants: bool,
}

impl Config {
    /// Where a person confirms this drill; `None`: nowhere, since no message shows a link to us.
    #[must_use]
    pub fn confirm_url(&self, drill: &NotificationId) -> Option<String> {
        Some(format!("{}/confirm/{drill}", self.shown_url()?))
    }

    /// Whether it takes a person to prove this channel: its receiver's answer does not, and a drill has a button.
    #[must_use]
    pub fn is_proven_by_people(&self, channel: &ChannelSettings) -> bool {
        !channel.kind.answer_proves() && self.shown_url().is_some()
    }

    /// Until when other tenants may report the same thing; `None`: none may, or it is about this tenant alone.
    #[must_use]
    pub fn held_for_the_fleet(&self, envelope: &Envelope, now: Timestamp) -> Option<Hold> {
        let alert = envelope.alert.as_ref()?;
        let score = alert.score?;
        let rule = self.rules.iter().find(|one| one.name == alert.rule)?;
        self.fleet.hold(envelope.kind, envelope.resolution, rule, self.polled(score), now)
    }

    /// Whether fleet shifts are looked for in a score: some rule that judges it takes part, and enough tenants are polled for it.
    #[must_use]
    pub fn watches(&self, score: ScoreKind) -> bool {
        let takes_part = |rule: &Arc<Rule>| watch::takes_part(rule) && rule.score.is_none_or(|judged| judged == score);
        self.rules.iter().any(takes_part) && self.fleet.can_detect(self.polled(score))
    }

    fn polled(&self, score: ScoreKind) -> impl Iterator<Item = &Arc<Tenant>> {
        self.tenants.values().filter(move |tenant| tenant.scores.contains(&score))
    }

    /// Base of the links that messages show: no message shows one without TLS.
    #[must_use]
    pub fn shown_url(&self) -> Option<&str> {
        self.public_url.as_deref().filter(|base| base.starts_with("https:"))
    }
}

/// A tenant as configured.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The tenant's slug, its name in files and URLs.
    pub id: TenantId,
    /// The display name; text from outside.
    pub name: Arc<str>,
    /// Labels, by which rules and channels select it.
    pub labels: Arc<Labels>,
    /// How to reach its APIs.
    pub account: Account,
    /// When it is checked; shared between tenants.
    pub schedule: Arc<Schedule>,
    /// What is polled; shared between tenants.
    pub scores: Arc<[ScoreKind]>,
    /// The language of its reports.
    pub language: Language,
    /// Channels notified of its alerts in addition to the rules' own.
    pub notify: Vec<ChannelName>,
}

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// A SQLite database in this file.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server.
    Postgres(DatabaseLocation),
}

/// Who is notified when tenants can't be read, and after how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The channels that operator messages are sent to.
    pub notify: Vec<ChannelName>,
    /// How long a tenant's checks may fail before the operator is notified.
    pub blind_after: Duration,
}

/// What reading a configuration gave.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration; `None` when a problem is an error.
    pub config: Option<Config>,
    /// All problems, errors and warnings, in file order.
    pub problems: Vec<Problem>,
    /// The lines of those problems, where they can be shown.
    pub excerpts: Excerpts,
    /// The secrets that were referred to, none of which was read.
    pub secrets: Arc<[SecretUse]>,
    /// The channels, whose addresses were compared as far as no secret had to be read for it.
    pub channels: Arc<[PlacedChannel]>,
    /// Where a change may make it another one; complete for a refused configuration, too.
    pub watched: Watched,
    /// The time zone data by which schedules and windows are reckoned.
    pub zones: Zones,
    /// What depends on more than the files.
    world: world::World,
    /// The warnings that comments switch off.
    allowed: allow::Allowed,
}
