//! `scorewatch check --online`: signs in to each tenant, asks for its scores, and says what is missing. It writes nothing to the
//! store and tells nobody, so that it may run beside the service.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::super::{Failure, once, output};
use crate::{
    channel::{self, ChannelSettings, Form},
    clock::Clock,
    config::{Config, Tenant},
    domain::{ChannelName, ScoreKind, TenantId},
    egress::Egress,
    microsoft::{FailureClass, FetchError, Granted, Microsoft, Proof},
    notify::NotificationType,
    rule::display,
    telemetry::Metrics,
    template::sample,
};

/// What is well.
const OK: &str = "ok";

#[derive(Debug, Serialize)]
struct Report {
    tenants: Vec<Line>,
    channels: Vec<ChannelLine>,
    secrets: Vec<SecretLine>,
}

/// Whether a secret can be had that a program or a store has to be asked for.
#[derive(Debug, Serialize)]
struct SecretLine {
    kept: String,
    /// `ok`, or why not.
    outcome: String,
}

/// What one tenant answered.
#[derive(Debug, Serialize)]
struct Line {
    tenant: TenantId,
    name: String,
    /// `ok`, or the class of the failure.
    token: &'static str,
    /// App roles in the tokens; `None`: there is none, or it can't be looked into.
    roles: Option<BTreeSet<String>>,
    /// Roles that the scores need and that the tokens do not hold.
    roles_missing: BTreeSet<&'static str>,
    /// Roles that no score needs, but the reasons of alerts. Without one nothing fails.
    roles_optional: BTreeMap<&'static str, Presence>,
    scores: Vec<ScoreLine>,
    /// What to do, each sentence once.
    hints: Vec<String>,
    /// For an administrator of the tenant.
    consent_link: String,
    /// Whether that link is what helps.
    consent_needed: bool,
}

/// Whether the tokens hold a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Presence {
    Present,
    Missing,
    /// The token can't be looked into.
    Unknown,
}

/// What came of asking for one score.
#[derive(Debug, Serialize)]
struct ScoreLine {
    score: ScoreKind,
    subject: Option<String>,
    value: Option<f64>,
    /// `ok`, or the class of the failure.
    outcome: &'static str,
}

/// Whether a message to a channel could leave.
#[derive(Debug, Serialize)]
struct ChannelLine {
    channel: ChannelName,
    kind: &'static str,
    /// `ok`, or why not.
    outcome: String,
}

pub(super) async fn online(config: &Config, wanted: &[String], as_json: bool) -> Result<(), Failure> {
    let tenants = once::chosen(config, wanted)?;
    let microsoft = Microsoft::new(Egress::new(), Clock::System, Metrics::default(), config.timeout);
    let progress = output::progress(tenants.len());
    let mut asked =
        stream::iter(tenants.iter().map(|tenant| ask(&microsoft, tenant))).buffer_unordered(config.concurrency);
    let mut lines = Vec::with_capacity(tenants.len());
    while let Some(line) = asked.next().await {
        lines.push(line);
        progress.inc(1);
    }
    progress.finish_and_clear();
    lines.sort_by(|a, b| a.tenant.cmp(&b.tenant));
    let secrets = ask_stores(config, &tenants).await;
    let shared = config.shared_receivers().await;
    let channels = config.channels.values().map(|settings| try_channel(config, settings, &shared)).collect();
    let report = Report { tenants: lines, channels, secrets };
    if as_json {
        output::json(&report)?;
    } else {
        show(&report);
    }
    if report.is_fine() { Ok(()) } else { Err(Failure::Run(None)) }
}

/// Asks for each secret that is not on this machine: of the tenants, and of every channel.
async fn ask_stores(config: &Config, tenants: &[Arc<Tenant>]) -> Vec<SecretLine> {
    let of_tenants = tenants.iter().flat_map(|tenant| tenant.account.app.proofs.iter().flat_map(Proof::references));
    let of_channels = config.channels.values().flat_map(|settings| settings.kind.secrets());
    let stored: BTreeSet<_> = of_tenants.chain(of_channels).filter(|secret| secret.is_stored()).collect();
    let asked = stored.into_iter().map(async |secret| {
        secret.fetch().await;
        let outcome = secret.resolve().map_or_else(|error| error.what, |_| OK.to_owned());
        SecretLine { kept: secret.place(), outcome }
    });
    let mut lines: Vec<_> = stream::iter(asked).buffer_unordered(config.concurrency).collect().await;
    lines.sort_by(|a: &SecretLine, b| a.kept.cmp(&b.kept));
    lines
}

/// Signs in, then asks for each score, as a check would.
async fn ask(microsoft: &Microsoft, tenant: &Tenant) -> Line {
    let now = Clock::System.now();
    let account = &tenant.account;
    let mut line = Line {
        tenant: tenant.id.clone(),
        name: tenant.name.to_string(),
        token: OK,
        roles: None,
        roles_missing: BTreeSet::new(),
        roles_optional: BTreeMap::new(),
        scores: Vec::with_capacity(tenant.scores.len()),
        hints: Vec::new(),
        consent_link: account.hosts.consent_link(account.entra, account.app.client_id),
        consent_needed: false,
    };
    for &score in tenant.scores.iter() {
        match microsoft.granted(account, score, now).await {
            Ok(granted) => {
                let required = Microsoft::required_role(score);
                if granted.lacks(required) {
                    line.roles_missing.insert(required);
                }
                if let Some(role) = Microsoft::optional_role(score) {
                    line.roles_optional.insert(role, Presence::of(role, &granted));
                }
                if let Some(roles) = granted.roles {
                    line.roles.get_or_insert_default().extend(roles);
                }
            }
            Err(failure) => {
                line.token = failure.class.as_str();
                line.failed(score, &failure);
                continue;
            }
        }
        match microsoft.fetch(account, score, now).await {
            Ok(readings) => line.scores.extend(readings.into_iter().map(|reading| ScoreLine {
                score,
                subject: reading.subject.map(|subject| subject.to_string()),
                value: Some(reading.sample.value),
                outcome: OK,
            })),
            Err(failure) => line.failed(score, &failure),
        }
    }
    line
}

impl Presence {
    fn of(role: &str, granted: &Granted) -> Self {
        match &granted.roles {
            None => Self::Unknown,
            Some(_) if granted.lacks(role) => Self::Missing,
            Some(_) => Self::Present,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

impl Line {
    fn failed(&mut self, score: ScoreKind, failure: &FetchError) {
        self.scores.push(ScoreLine { score, subject: None, value: None, outcome: failure.class.as_str() });
        if let Some(hint) = failure.hint().filter(|hint| !self.hints.iter().any(|known| known == hint)) {
            self.hints.push(hint.to_owned());
        }
        self.consent_needed |= matches!(failure.class, FailureClass::ConsentMissing | FailureClass::RoleMissing);
    }

    fn is_fine(&self) -> bool {
        self.token == OK && self.scores.iter().all(|score| score.outcome == OK)
    }
}

impl Report {
    fn is_fine(&self) -> bool {
        self.tenants.iter().all(Line::is_fine)
            && self.secrets.iter().all(|secret| secret.outcome == OK)
            && self.channels.iter().all(|channel| channel.outcome == OK)
    }
}

/// Writes a message as if it were sent, which looks at the channel's secrets and has its address vetted. `shared`: the channels that
/// send where another audience reads.
fn try_channel(
    config: &Config,
    settings: &Arc<ChannelSettings>,
    shared: &BTreeMap<ChannelName, String>,
) -> ChannelLine {
    let message = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    let composed = channel::open(settings, &config.templates).compose(&message, Form::Rich, Clock::System.now());
    ChannelLine {
        channel: settings.name.clone(),
        kind: settings.kind.as_str(),
        outcome: match (composed, shared.get(&settings.name)) {
            (Err(error), _) => error.to_string(),
            (Ok(_), Some(what)) => what.clone(),
            (Ok(_), None) => OK.to_owned(),
        },
    }
}

fn show(report: &Report) {
    let rows = report.tenants.iter().map(|line| {
        [
            line.tenant.to_string(),
            line.token.to_owned(),
            roles(line),
            listed(line.roles_missing.iter()),
            listed(line.roles_optional.iter().map(|(role, presence)| format!("{role} {}", presence.as_str()))),
            listed(line.scores.iter().map(answer)),
            line.hints.join("; "),
        ]
    });
    let header = ["TENANT", "TOKEN", "ROLES", "ROLES MISSING", "OPTIONAL ROLES", "SCORES", "WHAT TO DO"];
    output::say(&output::table(header, rows));
    say_what_is_optional(report);
    if !report.channels.is_empty() {
        let rows =
            report.channels.iter().map(|line| [line.channel.to_string(), line.kind.to_owned(), line.outcome.clone()]);
        output::say("");
        output::say(&output::table(["CHANNEL", "TYPE", "ADDRESS"], rows));
    }
    if !report.secrets.is_empty() {
        let rows = report.secrets.iter().map(|line| [line.kept.clone(), line.outcome.clone()]);
        output::say("");
        output::say(&output::table(["SECRET", "OUTCOME"], rows));
    }
    let consents: Vec<_> = report.tenants.iter().filter(|line| line.consent_needed).collect();
    if !consents.is_empty() {
        let rows = consents.iter().map(|line| [line.tenant.to_string(), line.name.clone(), line.consent_link.clone()]);
        output::say("");
        output::say(&output::table(["TENANT", "NAME", "CONSENT LINK, FOR AN ADMINISTRATOR OF THE TENANT"], rows));
    }
    let unread = report.tenants.iter().filter(|line| !line.is_fine()).count();
    if unread > 0 {
        output::complain(&format!("{unread} of {} tenants can't be read", report.tenants.len()));
    }
}

/// What a missing role costs that no score needs.
fn say_what_is_optional(report: &Report) {
    let missing = report.tenants.iter().flat_map(|line| &line.roles_optional);
    let missing: BTreeSet<_> =
        missing.filter(|(_, presence)| **presence == Presence::Missing).map(|(role, _)| *role).collect();
    if !missing.is_empty() {
        let roles = listed(missing.iter().map(|role| format!("`{role}`")));
        output::say("");
        output::say(&format!(
            "Scores are read without {roles}; with it, alerts of Defender's scores say what regressed."
        ));
    }
}

fn roles(line: &Line) -> String {
    match &line.roles {
        Some(roles) => listed(roles.iter()),
        None if line.token == OK => "unknown".to_owned(),
        None => "-".to_owned(),
    }
}

fn answer(line: &ScoreLine) -> String {
    let of = line.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
    let value = line.value.map_or_else(|| line.outcome.to_owned(), display::number);
    format!("{}{of} {value}", line.score)
}

fn listed(texts: impl Iterator<Item = impl ToString>) -> String {
    let texts: Vec<_> = texts.map(|text| text.to_string()).collect();
    if texts.is_empty() { "-".to_owned() } else { texts.join(", ") }
}
