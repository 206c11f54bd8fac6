//! `scorewatch tenants`: list, show, recheck, import, forget.

mod forget;
mod import;

use std::{path::Path, sync::Arc};

use clap::Subcommand;

use super::{Failure, caller, output, readable, stopped};
use crate::{
    action::tenant,
    clock::Clock,
    config::{Config, Tenant},
    domain::{Averages, FailureClass, Scope, ScoreKind, Timestamp, Unit},
    microsoft::Microsoft,
    query::{
        self, Page, Store, find,
        tenants::{Credential, GoneTenant, TenantDetail, TenantStatus},
    },
    rule::display,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch tenants list              every tenant, its score and the state of its checks
  scorewatch tenants list --failing    those that can't be read
  scorewatch tenants list --gone       those that are no longer configured
  scorewatch tenants show contoso
  scorewatch tenants recheck contoso   the running service checks it now
  scorewatch tenants forget contoso --dry-run
  scorewatch tenants import customers.csv --dry-run")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List tenants with their scores and the state of their checks
    List {
        /// Only tenants whose checks fail
        #[arg(long)]
        failing: bool,
        /// Tenants that are no longer configured, but still have data in the store
        #[arg(long, conflicts_with = "failing")]
        gone: bool,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Create tenant files from a list of customers: Partner Center's export, or your own CSV
    Import(import::Arguments),
    /// Erase the data of a tenant that is no longer configured
    Forget(forget::Arguments),
    /// Check tenants now, regardless of their schedule
    Recheck {
        /// The tenant's id; may be repeated
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<String>,
        /// All tenants; `concurrency` bounds how many are checked at a time
        #[arg(long)]
        all: bool,
    },
    /// Show one tenant: settings, credentials, scores, alerts
    Show {
        /// The tenant's id in the configuration
        id: String,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn tenants(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    match &arguments.action {
        Action::Import(arguments) => return import::import(file, arguments).await,
        Action::Forget(arguments) => return forget::forget(file, arguments).await,
        Action::List { .. } | Action::Show { .. } | Action::Recheck { .. } => {}
    }
    let config = readable(file)?.config;
    let store = query::open(&config).await?;
    let done = obey(&*store, &config, arguments.action).await;
    store.close().await;
    done
}

async fn obey(store: &dyn Store, config: &Arc<Config>, action: Action) -> Result<(), Failure> {
    let (scope, now) = (&Scope::All, Clock::System.now());
    match action {
        Action::Import(_) | Action::Forget(_) => Ok(()),
        Action::List { gone: true, json, .. } => {
            list_gone(&query::tenants::gone(store, config, scope, &Page::ALL).await?.items, now, json)
        }
        Action::List { failing, json, .. } => {
            list(&query::tenants::list(store, config, scope, failing, &Page::ALL).await?.items, now, json)?;
            stopped::warn(store, config, now).await;
            Ok(())
        }
        Action::Show { id, json } => {
            let detail = query::tenants::show(store, config, scope, &id).await?;
            show(find::tenant(config, scope, &id)?, &detail, now, json)
        }
        Action::Recheck { all: true, .. } => {
            let count = tenant::recheck_all(store, config, &caller::caller(), now).await?;
            let are_due =
                if count == 1 { "1 tenant is due now".to_owned() } else { format!("{count} tenants are due now") };
            let then = output::by_service(query::system::is_running(store, now).await, "checks them");
            output::say(&format!("{are_due}; {then}"));
            Ok(())
        }
        Action::Recheck { ids, .. } => {
            let is_running = query::system::is_running(store, now).await;
            for id in &ids {
                tenant::recheck(store, config, &caller::caller(), id, now).await?;
                let then = output::by_service(is_running, "checks it");
                output::say(&format!("tenant `{id}` is due now; {then}"));
            }
            Ok(())
        }
    }
}

fn list_gone(tenants: &[GoneTenant], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["ID", "NAME", "ENTRA TENANT", "GONE SINCE", "KEPT UNTIL"];
    output::listing(tenants, json, header, "no tenants", |gone| {
        [
            gone.known.id.to_string(),
            output::or_dash(gone.known.name.as_ref()),
            output::or_dash(gone.known.tenant_id),
            output::or_dash(gone.known.gone_since.map(|since| output::ago(since, now))),
            output::or_dash(gone.kept_until.map(|until| output::time_ago(until, now))),
        ]
    })
}

fn list(lines: &[TenantStatus], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["ID", "NAME", "SCORE", "CHECKS", "LAST CHECK", "NEXT CHECK", "WHAT TO DO"];
    output::listing(lines, json, header, "no tenants", |line| {
        let value = line.scores.first().and_then(|score| score.value);
        let health = match (&line.failing, line.checked_at) {
            (Some(failing), _) if line.asked_less_often => format!("{}, checked less often", failing.class),
            (Some(failing), _) => failing.class.clone(),
            (None, Some(_)) => "ok".to_owned(),
            (None, None) => "not checked yet".to_owned(),
        };
        [
            line.id.to_string(),
            line.name.clone(),
            output::or_dash(value.map(display::number)),
            health,
            output::or_dash(line.checked_at.map(|at| output::ago(at, now))),
            output::or_dash(line.next_check_at.map(|at| output::ago(at, now))),
            what_to_do(line).unwrap_or_default(),
        ]
    })
}

/// The hint, and the consent link if consent helps.
fn what_to_do(line: &TenantStatus) -> Option<String> {
    let hint = line.failing.as_ref()?.hint.clone();
    let consent = line.consent_link.as_ref().map(|at| format!("consent: {at}"));
    let parts: Vec<_> = hint.into_iter().chain(consent).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn show(tenant: &Tenant, detail: &TenantDetail, now: Timestamp, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&serde_json::to_value(detail)?);
    }
    let TenantDetail { alerts, may_be_shown_by, averages, tenant: line } = detail;
    output::say(&output::table(
        ["", ""],
        facts(line, may_be_shown_by, now).map(|(what, value)| [what.to_owned(), value]),
    ));
    output::say("");
    output::say(&output::table(["SCORE", "VALUE", "AT", "NEXT CHECK", "APP ROLE NEEDED"], scores(tenant, line, now)));
    if let Some(line) = averages.as_ref().and_then(others) {
        output::say(&line);
    }
    for row in alerts {
        output::say(&format!("alert {} {}", output::visible(row.key.rule.as_str()), row.alert.state.as_str()));
    }
    Ok(())
}

/// What Microsoft says of other tenants' secure scores; `None`: nothing.
fn others(averages: &Averages) -> Option<String> {
    let known = [
        (averages.similar_size, "tenants of similar size"),
        (averages.same_industry, "the same industry"),
        (averages.all_tenants, "all tenants"),
    ];
    let said = known.into_iter().filter_map(|(average, of)| Some(format!("{of} {}%", display::number(average?))));
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| format!("Microsoft's averages of the secure score: {}", said.join(", ")))
}

fn facts(line: &TenantStatus, may_show: &[String], now: Timestamp) -> [(&'static str, String); 13] {
    let labels: Vec<_> = line.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let credentials: Vec<_> = line.credentials.iter().map(words).collect();
    let at = |at: Timestamp| output::time_ago(at, now);
    let checks = match (&line.failing, line.checked_at) {
        (Some(failing), _) => {
            format!("failing since {}: {}", at(failing.since), FailureClass::described(&failing.class))
        }
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
        ("own channels", line.channels.join(", ")),
        ("channels that may show it", may_show.join(", ")),
        ("last check", output::or_dash(line.checked_at.map(at))),
        (
            "next check",
            match line.next_check_at {
                Some(next) if line.asked_less_often => {
                    format!("{}; checked less often, `scorewatch tenants recheck {}` checks it now", at(next), line.id)
                }
                next => output::or_dash(next.map(at)),
            },
        ),
        ("checks", checks),
        ("what to do", output::or_dash(what_to_do(line))),
    ]
}

/// A row for each series, and one for each score that is polled but was never read.
fn scores(tenant: &Tenant, line: &TenantStatus, now: Timestamp) -> Vec<[String; 5]> {
    let next = output::or_dash(line.next_check_at.map(|at| output::ago(at, now)));
    let row = |kind: ScoreKind, subject: Option<&String>, value: Option<f64>, at: Option<Timestamp>| {
        let name = subject.map_or_else(|| kind.to_string(), |subject| format!("{kind} {subject}"));
        let role = Microsoft::required_role(kind).to_owned();
        let at = output::or_dash(at.map(|at| output::time_ago(at, now)));
        let unit = if kind.unit() == Unit::Percent { "%" } else { "" };
        let value = value.map(|value| format!("{}{unit}", display::number(value)));
        [name, output::or_dash(value), at, next.clone(), role]
    };
    let read = line.scores.iter().map(|score| row(score.kind, score.subject.as_ref(), score.value, score.observed_at));
    let never = tenant.scores.iter().filter(|kind| line.scores.iter().all(|score| score.kind != **kind));
    read.chain(never.map(|kind| row(*kind, None, None, None))).collect()
}

fn words(credential: &Credential) -> String {
    match credential.expires_at {
        Some(at) => format!("{}, expires {}", credential.kind, at.to_chrono().date_naive()),
        None => format!("{}, expiry unknown", credential.kind),
    }
}
