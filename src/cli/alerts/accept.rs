//! `scorewatch alerts accept`: one alert, all that a fleet shift's notice covered, or all that filters pick.

use super::{Which, find, parse_rule, parse_tenant};
use crate::{
    check::close,
    cli::{Failure, output, wrong_input},
    clock::Clock,
    config::Config,
    domain::{ScoreKind, TenantId},
    store::{AlertFilter, AlertRow, Store},
};

/// Which alerts: one by its tenant and rule, or all that every given filter picks.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The tenant of one alert
    #[arg(requires = "of_rule", conflicts_with_all = ["shift", "rule", "score", "tenants", "labels"])]
    tenant: Option<String>,
    /// Its rule
    #[arg(value_name = "RULE")]
    of_rule: Option<String>,
    /// Its subject, where the score has several
    #[arg(long, requires = "of_rule")]
    subject: Option<String>,
    /// All that the notices of this fleet shift covered
    #[arg(long, value_name = "ID")]
    shift: Option<String>,
    /// All of this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// All of this score
    #[arg(long, value_name = "SCORE", value_parser = score)]
    score: Option<ScoreKind>,
    /// All of this tenant; may be given several times
    #[arg(long = "tenant", value_name = "ID")]
    tenants: Vec<String>,
    /// All of tenants with this label; may be given several times, and then all must match
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Only show which alerts these are
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn score(text: &str) -> Result<ScoreKind, String> {
    let known = || ScoreKind::ALL.map(ScoreKind::as_str).join(", ");
    ScoreKind::from_name(text).ok_or_else(|| format!("unknown score; use one of {}", known()))
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| "expected `KEY=VALUE`".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) async fn accept(store: &dyn Store, config: &Config, arguments: Arguments) -> Result<(), Failure> {
    if let (Some(tenant), Some(rule)) = (&arguments.tenant, &arguments.of_rule) {
        let which = Which { tenant: tenant.clone(), rule: rule.clone(), subject: arguments.subject.clone() };
        return one(store, config, &which).await;
    }
    let picked = pick(store, config, &arguments).await?;
    let (acceptable, floors): (Vec<AlertRow>, Vec<AlertRow>) = picked.into_iter().partition(has_level);
    let mut accepted = Vec::with_capacity(acceptable.len());
    for row in acceptable {
        let is_done = arguments.dry_run || close::accept(store, config, &row, Clock::System.now()).await?.is_some();
        accepted.extend(is_done.then_some(row));
    }
    if arguments.json {
        return output::json(&accepted);
    }
    let verb = if arguments.dry_run { "would be accepted" } else { "accepted" };
    for row in &accepted {
        output::say(&format!("{verb}: `{}` of `{}`", row.key.rule, row.key.tenant));
    }
    output::say(&format!("{verb}: {}", alerts(accepted.len())));
    if !floors.is_empty() {
        let what = alerts(floors.len());
        output::say(&format!(
            "left as they are: {what} of `below`, `above` or `no_data` rules, which have no level to accept"
        ));
    }
    Ok(())
}

async fn one(store: &dyn Store, config: &Config, which: &Which) -> Result<(), Failure> {
    let row = find(store, which).await?;
    if close::accept(store, config, &row, Clock::System.now()).await?.is_none() {
        return Err(wrong_input("only a firing alert of a `drop` or `rise` rule can be accepted"));
    }
    output::say(&format!("accepted: `{}` of `{}` starts from the new level", row.key.rule, row.key.tenant));
    Ok(())
}

/// The firing alerts that every given filter picks.
async fn pick(store: &dyn Store, config: &Config, arguments: &Arguments) -> Result<Vec<AlertRow>, Failure> {
    let Arguments { shift, rule, score, tenants, labels, .. } = arguments;
    if shift.is_none() && rule.is_none() && score.is_none() && tenants.is_empty() && labels.is_empty() {
        return Err(wrong_input(
            "nothing says which alerts; give a tenant and a rule, or `--shift`, `--rule`, `--score`, `--tenant`, `--label`",
        ));
    }
    let tenants: Vec<TenantId> = tenants.iter().map(|id| parse_tenant(id)).collect::<Result<_, _>>()?;
    let filter = AlertFilter {
        rule: rule.as_deref().map(parse_rule).transpose()?,
        firing_only: true,
        shift: shift.clone(),
        ..AlertFilter::default()
    };
    let has_labels = |tenant: &TenantId| {
        let found = config.tenants.get(tenant).map(|tenant| &tenant.labels);
        let has = |(key, value): &(String, String)| {
            found.is_some_and(|found| found.get(key.as_str()).is_some_and(|has| **has == **value))
        };
        labels.iter().all(has)
    };
    let is_picked = |row: &AlertRow| {
        score.is_none_or(|score| row.key.score == Some(score))
            && (tenants.is_empty() || tenants.contains(&row.key.tenant))
            && has_labels(&row.key.tenant)
    };
    let rows: Vec<AlertRow> = store.alerts(&filter).await?.into_iter().filter(is_picked).collect();
    if rows.is_empty() { Err(wrong_input("no firing alert matches")) } else { Ok(rows) }
}

/// Whether it fires by a `drop` or `rise`: a floor is a floor.
fn has_level(row: &AlertRow) -> bool {
    row.alert.firing().is_some_and(|firing| firing.terms.when.change().is_some())
}

fn alerts(count: usize) -> String {
    if count == 1 { "1 alert".to_owned() } else { format!("{count} alerts") }
}
