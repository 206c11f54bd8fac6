//! Signs in to each tenant, asks for its scores, and says what is missing. It writes nothing to the store and notifies nobody, so that it
//! may run beside the service.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::{Error, find};
use crate::{
    channel::{self, ChannelSettings, Form},
    clock::Clock,
    config::{Config, Tenant},
    domain::{ChannelName, Reading, Scope, ScoreKind, TenantId, Timestamp},
    egress::Egress,
    microsoft::{CredentialMaterial, FailureClass, FetchError, Granted, Microsoft, PassedOver},
    notify::NotificationType,
    telemetry::Metrics,
    template::sample,
};

/// The outcome of a check that succeeded.
pub const OK: &str = "ok";

/// What an online check found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Each tenant, by id.
    pub tenants: Vec<TenantAnswer>,
    /// Each channel, by name.
    pub channels: Vec<ChannelAnswer>,
    /// Each secret that a program or a store has to be asked for.
    pub secrets: Vec<SecretAnswer>,
}

/// Whether a secret can be had that a program or a store has to be asked for.
#[derive(Debug, Clone, Serialize)]
pub struct SecretAnswer {
    /// Where it is kept, without the secret.
    pub kept: String,
    /// `ok`, or why not.
    pub outcome: String,
}

/// The result of the check of one tenant.
#[derive(Debug, Clone, Serialize)]
pub struct TenantAnswer {
    /// The tenant's slug in the configuration.
    pub tenant: TenantId,
    /// The tenant's name as messages show it.
    pub name: String,
    /// `ok`, or the class of the failure.
    pub token: &'static str,
    /// The class of the failure of the newest credential, if an older one beside it signed in.
    pub newest_rejected: Option<&'static str>,
    /// App roles in the tokens; `None`: there is none, or it can't be looked into.
    pub roles: Option<BTreeSet<String>>,
    /// Roles that the scores need and that the tokens do not hold.
    pub roles_missing: BTreeSet<&'static str>,
    /// Roles that no score needs, but the reasons of alerts. Without one nothing fails.
    pub roles_optional: BTreeMap<&'static str, Presence>,
    /// What came of each score.
    pub scores: Vec<ScoreAnswer>,
    /// What to do, each sentence once.
    pub hints: Vec<String>,
    /// For an administrator of the tenant.
    pub consent_link: String,
    /// Whether that link is what helps.
    pub consent_needed: bool,
}

/// Whether the tokens hold a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// The app has the permission.
    Present,
    /// The app lacks the permission.
    Missing,
    /// The token can't be looked into.
    Unknown,
}

/// What came of asking for one score.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreAnswer {
    /// The kind of score that this is about.
    pub score: ScoreKind,
    /// Of which of several values.
    pub subject: Option<String>,
    /// The value that was read.
    pub value: Option<f64>,
    /// `ok`, or the class of the failure.
    pub outcome: &'static str,
}

/// Whether a message to a channel could leave.
#[derive(Debug, Clone, Serialize)]
pub struct ChannelAnswer {
    /// The channel's name in the configuration.
    pub channel: ChannelName,
    /// What it sends to, like `teams`.
    pub kind: &'static str,
    /// `ok`, or why not.
    pub outcome: String,
}

/// Asks about the tenants of these ids, or without any about every tenant of the scope, and about the scope's channels.
/// `on_answer` is called after each tenant.
///
/// # Errors
/// [`Error::NotFound`] if there is no such tenant.
pub async fn online(config: &Config, scope: &Scope, ids: &[String], on_answer: impl Fn()) -> Result<Report, Error> {
    let tenants = find::tenants(config, scope, ids)?;
    let microsoft = Microsoft::new(Egress::new(), Clock::System, Metrics::default(), config.timeout);
    let mut asked =
        stream::iter(tenants.iter().map(|tenant| ask(&microsoft, config, tenant))).buffer_unordered(config.concurrency);
    let mut answers = Vec::with_capacity(tenants.len());
    while let Some(answer) = asked.next().await {
        answers.push(answer);
        on_answer();
    }
    answers.sort_by(|a, b| a.tenant.cmp(&b.tenant));
    for passed_over in microsoft.passed_over() {
        let users = tenants.iter().filter(|tenant| passed_over.is_of(&tenant.account.app));
        let users: BTreeSet<_> = users.map(|tenant| &tenant.id).collect();
        let signed_in = answers.iter_mut().filter(|answer| answer.token == OK && users.contains(&answer.tenant));
        signed_in.for_each(|answer| answer.mark(&passed_over));
    }
    let secrets = ask_stores(config, scope, &tenants).await;
    let shared = config.shared_receivers().await;
    let channels =
        find::channels(config, scope).map(|settings| try_channel(config, scope, settings, &shared)).collect();
    Ok(Report { tenants: answers, channels, secrets })
}

/// Asks for each secret that is not on this machine: of the tenants, and of every channel of the scope.
async fn ask_stores(config: &Config, scope: &Scope, tenants: &[Arc<Tenant>]) -> Vec<SecretAnswer> {
    let of_tenants =
        tenants.iter().flat_map(|tenant| tenant.account.app.materials.iter().flat_map(CredentialMaterial::references));
    let of_channels = find::channels(config, scope).flat_map(|settings| settings.kind.secrets());
    let stored: BTreeSet<_> = of_tenants.chain(of_channels).filter(|secret| secret.is_stored()).collect();
    let asked = stored.into_iter().map(async |secret| {
        secret.fetch().await;
        let outcome = secret.resolve().map_or_else(|error| error.what, |_| OK.to_owned());
        SecretAnswer { kept: secret.place(), outcome }
    });
    let mut lines: Vec<_> = stream::iter(asked).buffer_unordered(config.concurrency).collect().await;
    lines.sort_by(|a: &SecretAnswer, b| a.kept.cmp(&b.kept));
    lines
}

/// Signs in, then asks for each score, as a check would.
async fn ask(microsoft: &Microsoft, config: &Config, tenant: &Tenant) -> TenantAnswer {
    let now = Clock::System.now();
    let account = &tenant.account;
    let mut answer = TenantAnswer {
        tenant: tenant.id.clone(),
        name: tenant.name.to_string(),
        token: OK,
        newest_rejected: None,
        roles: None,
        roles_missing: BTreeSet::new(),
        roles_optional: BTreeMap::new(),
        scores: Vec::with_capacity(tenant.scores.len()),
        hints: Vec::new(),
        consent_link: account.consent_link(),
        consent_needed: false,
    };
    for &score in tenant.scores.iter() {
        match microsoft.granted(account, score, now).await {
            Ok(granted) => {
                let required = Microsoft::required_role(score);
                if granted.lacks(required) {
                    answer.roles_missing.insert(required);
                }
                if let Some(role) = Microsoft::optional_role(score) {
                    answer.roles_optional.insert(role, Presence::of(role, &granted));
                }
                if let Some(roles) = granted.roles {
                    answer.roles.get_or_insert_default().extend(roles);
                }
            }
            Err(failure) => {
                answer.token = failure.class.as_str();
                answer.failed(score, &failure);
                continue;
            }
        }
        match microsoft.fetch(account, score, now).await {
            Ok(readings) => {
                if score == ScoreKind::SecureScore {
                    answer.hints.extend(unknown_controls(microsoft, config, tenant, &readings, now).await);
                }
                answer.scores.extend(readings.into_iter().map(|reading| ScoreAnswer {
                    score,
                    subject: reading.subject.map(|subject| subject.to_string()),
                    value: Some(reading.sample.value),
                    outcome: OK,
                }));
            }
            Err(failure) => answer.failed(score, &failure),
        }
    }
    answer
}

/// Excluded controls that the newest record does not have. What can't be read is not claimed.
async fn unknown_controls(
    microsoft: &Microsoft,
    config: &Config,
    tenant: &Tenant,
    readings: &[Reading],
    now: Timestamp,
) -> Vec<String> {
    let Some(newest) = readings.iter().map(|reading| reading.sample.at).max() else { return Vec::new() };
    if config.excluded_names(tenant, now).is_empty() {
        return Vec::new();
    }
    let records = microsoft.records(&tenant.account, &BTreeSet::from([newest]), now).await.unwrap_or_default();
    let names = records.get(&newest).map(|record| record.controls.keys().cloned().collect()).unwrap_or_default();
    config.unknown_controls(tenant, &names, now).iter().map(ToString::to_string).collect()
}

impl Presence {
    fn of(role: &str, granted: &Granted) -> Self {
        match &granted.roles {
            None => Self::Unknown,
            Some(_) if granted.lacks(role) => Self::Missing,
            Some(_) => Self::Present,
        }
    }

    /// The name in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

impl TenantAnswer {
    fn failed(&mut self, score: ScoreKind, failure: &FetchError) {
        self.scores.push(ScoreAnswer { score, subject: None, value: None, outcome: failure.class.as_str() });
        if let Some(hint) = failure.hint().filter(|hint| !self.hints.iter().any(|known| known == hint)) {
            self.hints.push(hint.to_owned());
        }
        self.consent_needed |= matches!(failure.class, FailureClass::ConsentMissing | FailureClass::RoleMissing);
    }

    /// Says first that the newest credential is not the one that signed in.
    fn mark(&mut self, passed_over: &PassedOver) {
        let (kind, why) = (passed_over.kind.words(), passed_over.class.words());
        let hint =
            format!("keep the older credential, which alone signs in: the newest one, a {kind}, was rejected ({why})");
        self.newest_rejected = Some(passed_over.class.as_str());
        self.hints.insert(0, hint);
    }

    /// Whether the sign-in and every score succeeded.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.token == OK && self.scores.iter().all(|score| score.outcome == OK)
    }

    /// The same, with the newest credential.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.is_read() && self.newest_rejected.is_none()
    }
}

impl Report {
    /// Whether every tenant is fine.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.tenants.iter().all(TenantAnswer::is_fine)
            && self.secrets.iter().all(|secret| secret.outcome == OK)
            && self.channels.iter().all(|channel| channel.outcome == OK)
    }
}

/// Writes a message as if it were sent, which looks at the channel's secrets and has its address vetted. `shared`: the channels that
/// send where another audience reads.
fn try_channel(
    config: &Config,
    scope: &Scope,
    settings: &Arc<ChannelSettings>,
    shared: &BTreeMap<ChannelName, String>,
) -> ChannelAnswer {
    let message = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    let composed = channel::open(settings, &config.templates).compose(&message, Form::Rich, Clock::System.now());
    ChannelAnswer {
        channel: settings.name.clone(),
        kind: settings.kind.as_str(),
        outcome: match (composed, shared.get(&settings.name)) {
            (Err(error), _) => error.to_string(),
            (Ok(_), Some(what)) if scope.is_all() => what.clone(),
            // The sentence names a channel of others.
            (Ok(_), Some(_)) => "another audience reads the same receiver".to_owned(),
            (Ok(_), None) => OK.to_owned(),
        },
    }
}
