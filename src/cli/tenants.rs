//! `scorewatch tenants`: list, show.

use std::{collections::HashMap, path::Path, sync::Arc};

use clap::Subcommand;
use serde::Serialize;

use super::{Failure, beside, configured, output, wrong_input};
use crate::{
    check::{run::Plan, slow},
    config::{Config, Tenant},
    domain::{Labels, ScoreKind, TenantId, Timestamp},
    rule::display,
    store::{AlertFilter, Failing, Store, TenantRecord},
};

/// The most tenants that are loaded together.
const BATCH: usize = 256;

/// What to do with tenants.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch tenants list              every tenant, its score, and how its checks fare
  scorewatch tenants list --failing    the ones that can't be read
  scorewatch tenants show contoso")]
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
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one tenant: settings, scores, alerts
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
    channels: Vec<String>,
    scores: Vec<ScoreLine>,
    checked_at: Option<Timestamp>,
    next_check_at: Option<Timestamp>,
    /// Whether that is later than the schedule says: nothing but people can help.
    asked_less_often: bool,
    failing: Option<Failing>,
}

#[derive(Debug, Serialize)]
struct ScoreLine {
    kind: ScoreKind,
    subject: Option<String>,
    value: Option<f64>,
    observed_at: Option<Timestamp>,
}

pub(super) async fn tenants(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let store = beside(&config).await?;
    let done = match arguments.action {
        Action::List { failing, json } => {
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

async fn lines(store: &dyn Store, plan: &Plan, tenants: &[&Tenant]) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::with_capacity(tenants.len());
    for batch in tenants.chunks(BATCH) {
        let ids: Vec<_> = batch.iter().map(|tenant| tenant.id.clone()).collect();
        let records: HashMap<_, _> =
            store.load(&ids).await?.into_iter().map(|record| (record.tenant.clone(), record)).collect();
        lines.extend(batch.iter().map(|tenant| line(plan, tenant, records.get(&tenant.id))));
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
        scores: scores.collect(),
        checked_at: record.and_then(|record| record.health.checked_at),
        next_check_at: record.map(|record| record.health.next_due_at),
        asked_less_often: record.is_some_and(|record| slow::is_slow(plan, tenant, &record.health)),
        failing: record.and_then(|record| record.health.failing.clone()),
    }
}

fn list(lines: &[Line], json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&lines);
    }
    if lines.is_empty() {
        output::say("no tenants");
        return Ok(());
    }
    let rows = lines.iter().map(|line| {
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
    });
    output::say(&output::table(["ID", "NAME", "SCORE", "CHECKS", "LAST CHECK", "NEXT CHECK"], rows));
    Ok(())
}

async fn show(store: &dyn Store, config: &Arc<Config>, id: &str, json: bool) -> Result<(), Failure> {
    let Some(tenant) = config.tenants.get(id) else {
        return Err(wrong_input(format!("there is no tenant `{id}`; `scorewatch tenants list` shows them")));
    };
    let lines = lines(store, &Plan::new(config.clone()), &[tenant]).await?;
    let filter = AlertFilter { tenant: Some(tenant.id.clone()), open_only: true, ..AlertFilter::default() };
    let alerts = store.alerts(&filter).await?;
    let Some(line) = lines.first() else { return Ok(()) };
    if json {
        return output::json(&serde_json::json!({ "tenant": line, "alerts": alerts }));
    }
    let labels: Vec<_> = line.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let facts = [
        ("id", line.id.to_string()),
        ("name", line.name.clone()),
        ("Entra tenant", line.entra_tenant_id.clone()),
        ("portal", line.portal.clone()),
        ("labels", labels.join(", ")),
        ("channels of its own", line.channels.join(", ")),
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
        (
            "checks",
            line.failing
                .as_ref()
                .map_or_else(|| "ok".to_owned(), |failing| format!("{} since {}", failing.class, failing.since)),
        ),
        ("what to do", output::or_dash(line.failing.as_ref().and_then(|failing| failing.hint.as_ref()))),
    ];
    output::say(&output::table(["", ""], facts.map(|(what, value)| [what.to_owned(), value])));
    for score in &line.scores {
        let value = output::or_dash(score.value.map(display::number));
        output::say(&format!("{} {} at {}", score.kind, value, output::or_dash(score.observed_at)));
    }
    for row in &alerts {
        output::say(&format!("alert {} {}", row.key.rule, row.alert.state.as_str()));
    }
    Ok(())
}
