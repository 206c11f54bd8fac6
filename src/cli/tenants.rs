//! `scorewatch tenants`: list, show, import, forget.

mod forget;
mod import;

use std::{collections::HashMap, path::Path, sync::Arc};

use clap::Subcommand;
use serde::Serialize;

use super::{Failure, beside, configured, output, tenant};
use crate::{
    channel::ChannelSettings,
    check::{run::Plan, slow},
    config::{Config, Tenant},
    domain::{Labels, ScoreKind, TenantId, Timestamp},
    microsoft::{AppCredential, Microsoft, Proof},
    rule::display,
    store::{AlertFilter, Failing, KnownTenant, Store, TenantRecord},
};

/// The most tenants that are loaded together.
const BATCH: usize = 256;

/// What to do with tenants.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch tenants list              every tenant, its score, and how its checks fare
  scorewatch tenants list --failing    the ones that can't be read
  scorewatch tenants list --gone       the ones that are no longer configured
  scorewatch tenants show contoso
  scorewatch tenants forget contoso --dry-run
  scorewatch tenants import customers.csv --dry-run")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List tenants
    List {
        /// Only those whose checks fail
        #[arg(long)]
        failing: bool,
        /// Those that are no longer configured, of which something is still known
        #[arg(long, conflicts_with = "failing")]
        gone: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make tenant files of a list of customers: Partner Center's export, or a CSV of your own
    Import(import::Arguments),
    /// Erase what is known of a tenant that is no longer configured
    Forget(forget::Arguments),
    /// Show one tenant: settings, credentials, scores, alerts
    Show {
        /// The tenant's id
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Serialize)]
struct Line {
    id: TenantId,
    name: String,
    portal: String,
    entra_tenant_id: String,
    labels: Labels,
    /// Channels of its own.
    channels: Vec<String>,
    client_id: String,
    /// What its app proves itself with, newest first.
    credentials: Vec<CredentialLine>,
    scores: Vec<ScoreLine>,
    checked_at: Option<Timestamp>,
    next_check_at: Option<Timestamp>,
    /// Whether that is later than the schedule says: nothing but people can help.
    asked_less_often: bool,
    failing: Option<Failing>,
}

#[derive(Debug, Serialize)]
struct CredentialLine {
    kind: &'static str,
    /// As noted, or as the certificate says; `None`: nobody noted it.
    expires_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct ScoreLine {
    kind: ScoreKind,
    subject: Option<String>,
    value: Option<f64>,
    observed_at: Option<Timestamp>,
}

pub(super) async fn tenants(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    match &arguments.action {
        Action::Import(arguments) => return import::import(file, arguments).await,
        Action::Forget(arguments) => return forget::forget(file, arguments).await,
        Action::List { .. } | Action::Show { .. } => {}
    }
    let config = configured(file)?;
    let store = beside(&config).await?;
    let done = match arguments.action {
        Action::Import(_) | Action::Forget(_) => Ok(()),
        Action::List { gone: true, json, .. } => list_gone(&store, &config, json).await,
        Action::List { failing, json, .. } => {
            let wanted: Vec<_> = config.tenants.values().map(AsRef::as_ref).collect();
            let mut lines = lines(&store, &Plan::new(config.clone()), &wanted).await?;
            lines.retain(|line| !failing || line.failing.is_some());
            list(&lines, json)
        }
        Action::Show { id, json } => show(&store, &config, &id, json).await,
    };
    store.close().await;
    done
}

/// A tenant that is no longer configured.
#[derive(Debug, Serialize)]
struct GoneLine {
    #[serde(flatten)]
    known: KnownTenant,
    /// When what is known of it is removed.
    kept_until: Option<Timestamp>,
}

async fn list_gone(store: &dyn Store, config: &Config, json: bool) -> Result<(), Failure> {
    let gone = store.roster().await?.into_iter().filter(|known| known.gone_since.is_some());
    let lines: Vec<_> = gone
        .map(|known| GoneLine { kept_until: known.gone_since.map(|since| since.plus(config.retention)), known })
        .collect();
    let header = ["ID", "NAME", "ENTRA TENANT", "GONE SINCE", "KEPT UNTIL"];
    output::listing(&lines, json, (header, "no tenants"), |line| {
        [
            line.known.id.to_string(),
            output::or_dash(line.known.name.as_ref()),
            output::or_dash(line.known.tenant_id),
            output::or_dash(line.known.gone_since),
            output::or_dash(line.kept_until),
        ]
    })
}

async fn lines(store: &dyn Store, plan: &Plan, tenants: &[&Tenant]) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::with_capacity(tenants.len());
    for batch in tenants.chunks(BATCH) {
        let ids: Vec<_> = batch.iter().map(|tenant| tenant.id.clone()).collect();
        let records: HashMap<_, _> =
            store.load(&ids).await?.into_iter().map(|record| (record.tenant.clone(), record)).collect();
        lines.extend(batch.iter().map(|tenant| {
            let record = records.get(&tenant.id).filter(|record| record.identity.is(tenant.account.entra));
            line(plan, tenant, record)
        }));
    }
    Ok(lines)
}

fn line(plan: &Plan, tenant: &Tenant, record: Option<&TenantRecord>) -> Line {
    let series = record.map_or(&[][..], |record| record.series.as_slice());
    let scores = series.iter().map(|series| ScoreLine {
        kind: series.score,
        subject: series.subject.as_ref().map(ToString::to_string),
        value: series.window.last().map(|sample| sample.value),
        observed_at: series.window.last().map(|sample| sample.at),
    });
    Line {
        id: tenant.id.clone(),
        name: tenant.name.to_string(),
        portal: tenant.account.hosts.portal.clone(),
        entra_tenant_id: tenant.account.entra.to_string(),
        labels: tenant.labels.as_ref().clone(),
        channels: tenant.notify.iter().map(ToString::to_string).collect(),
        client_id: tenant.account.app.client_id.to_string(),
        credentials: Vec::new(),
        scores: scores.collect(),
        checked_at: record.and_then(|record| record.health.checked_at),
        next_check_at: record.map(|record| record.health.next_due_at),
        asked_less_often: record.is_some_and(|record| slow::is_slow(plan, tenant, &record.health)),
        failing: record.and_then(|record| record.health.failing.clone()),
    }
}

fn list(lines: &[Line], json: bool) -> Result<(), Failure> {
    let header = ["ID", "NAME", "SCORE", "CHECKS", "LAST CHECK", "NEXT CHECK"];
    output::listing(lines, json, (header, "no tenants"), |line| {
        let value = line.scores.first().and_then(|score| score.value);
        let health = match (&line.failing, line.checked_at) {
            (Some(failing), _) if line.asked_less_often => format!("{}, asked less often", failing.class),
            (Some(failing), _) => failing.class.clone(),
            (None, Some(_)) => "ok".to_owned(),
            (None, None) => "not checked yet".to_owned(),
        };
        [
            line.id.to_string(),
            line.name.clone(),
            output::or_dash(value.map(display::number)),
            health,
            output::or_dash(line.checked_at),
            output::or_dash(line.next_check_at),
        ]
    })
}

async fn show(store: &dyn Store, config: &Arc<Config>, id: &str, json: bool) -> Result<(), Failure> {
    let tenant = tenant(config, id)?;
    let lines = lines(store, &Plan::new(config.clone()), &[tenant]).await?;
    let filter = AlertFilter { tenant: Some(tenant.id.clone()), open_only: true, ..AlertFilter::default() };
    let alerts = store.alerts(&filter).await?;
    let Some(mut line) = lines.into_iter().next() else { return Ok(()) };
    let app = tenant.account.app.clone();
    line.credentials = tokio::task::spawn_blocking(move || credentials(&app)).await?;
    let may_show = may_show(config, tenant);
    if json {
        return output::json(&serde_json::json!({ "tenant": line, "may_be_shown_by": may_show, "alerts": alerts }));
    }
    output::say(&output::table(["", ""], facts(&line, &may_show).map(|(what, value)| [what.to_owned(), value])));
    output::say("");
    output::say(&output::table(["SCORE", "VALUE", "AT", "NEXT CHECK", "APP ROLE NEEDED"], scores(tenant, &line)));
    for row in &alerts {
        output::say(&format!("alert {} {}", output::visible(row.key.rule.as_str()), row.alert.state.as_str()));
    }
    Ok(())
}

fn facts(line: &Line, may_show: &[String]) -> [(&'static str, String); 13] {
    let labels: Vec<_> = line.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let credentials: Vec<_> = line.credentials.iter().map(CredentialLine::words).collect();
    let checks = match (&line.failing, line.checked_at) {
        (Some(failing), _) => format!("{} since {}", failing.class, failing.since),
        (None, Some(_)) => "ok".to_owned(),
        (None, None) => "not checked yet".to_owned(),
    };
    [
        ("id", line.id.to_string()),
        ("name", line.name.clone()),
        ("Entra tenant", line.entra_tenant_id.clone()),
        ("portal", line.portal.clone()),
        ("labels", labels.join(", ")),
        ("app", line.client_id.clone()),
        ("credentials", credentials.join("; ")),
        ("channels of its own", line.channels.join(", ")),
        ("channels that may show it", may_show.join(", ")),
        ("last check", output::or_dash(line.checked_at)),
        (
            "next check",
            match line.next_check_at {
                Some(at) if line.asked_less_often => {
                    format!("{at} (asked less often; `scorewatch once --tenant {}` asks now)", line.id)
                }
                at => output::or_dash(at),
            },
        ),
        ("checks", checks),
        ("what to do", output::or_dash(line.failing.as_ref().and_then(|failing| failing.hint.as_ref()))),
    ]
}

/// A row for each series, and one for each kind that is polled and was never read.
fn scores(tenant: &Tenant, line: &Line) -> Vec<[String; 5]> {
    let next = output::or_dash(line.next_check_at);
    let row = |kind: ScoreKind, subject: Option<&String>, value: Option<f64>, at: Option<Timestamp>| {
        let name = subject.map_or_else(|| kind.to_string(), |subject| format!("{kind} {subject}"));
        let role = Microsoft::required_role(kind).to_owned();
        [name, output::or_dash(value.map(display::number)), output::or_dash(at), next.clone(), role]
    };
    let read = line.scores.iter().map(|score| row(score.kind, score.subject.as_ref(), score.value, score.observed_at));
    let never = tenant.scores.iter().filter(|kind| line.scores.iter().all(|score| score.kind != **kind));
    read.chain(never.map(|kind| row(*kind, None, None, None))).collect()
}

impl CredentialLine {
    fn words(&self) -> String {
        match self.expires_at {
            Some(at) => format!("{}, expires {}", self.kind, at.to_chrono().date_naive()),
            None => format!("{}, expiry not noted", self.kind),
        }
    }
}

/// Opens certificates, to see how long they hold.
fn credentials(app: &AppCredential) -> Vec<CredentialLine> {
    let line = |proof: &Proof| CredentialLine { kind: proof.kind.words(), expires_at: proof.expires_at() };
    app.proofs.iter().map(line).collect()
}

/// The channels whose fence admits the tenant, whether or not a rule ever tells them.
fn may_show(config: &Config, tenant: &Tenant) -> Vec<String> {
    let admits = |channel: &&std::sync::Arc<ChannelSettings>| channel.fence.admits(&tenant.id, &tenant.labels);
    config.channels.values().filter(admits).map(|channel| channel.name.to_string()).collect()
}
