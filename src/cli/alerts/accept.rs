//! `scorewatch alerts accept`: one alert, all that a fleet shift's notice covered, or all that filters pick.

use crate::{
    action::alert::{self, Accepted, Pick},
    cli::{Failure, output},
    clock::Clock,
    config::Config,
    domain::{Scope, ScoreKind},
    query::{Store, alerts::Which},
    rule::AlertKey,
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
    let (scope, now) = (&Scope::All, Clock::System.now());
    let Arguments { tenant, of_rule, subject, shift, rule, score, tenants, labels, dry_run, json } = arguments;
    if let (Some(tenant), Some(rule)) = (tenant, of_rule) {
        let AlertKey { rule, tenant, .. } =
            alert::accept(store, config, scope, &Which { tenant, rule, subject }, now).await?;
        output::say(&format!("accepted: `{rule}` of `{tenant}` starts from the new level"));
        return Ok(());
    }
    let pick = Pick { shift, rule, score, tenants, labels };
    let Accepted { alerts: accepted, without_level } =
        alert::accept_all(store, config, scope, &pick, (dry_run, now)).await?;
    if json {
        return output::json(&accepted);
    }
    let verb = if dry_run { "would be accepted" } else { "accepted" };
    for row in &accepted {
        output::say(&format!("{verb}: `{}` of `{}`", row.key.rule, row.key.tenant));
    }
    output::say(&format!("{verb}: {}", alerts(accepted.len())));
    if without_level > 0 {
        let what = alerts(without_level);
        output::say(&format!(
            "left as they are: {what} of `below`, `above` or `no_data` rules, which have no level to accept"
        ));
    }
    Ok(())
}

fn alerts(count: usize) -> String {
    if count == 1 { "1 alert".to_owned() } else { format!("{count} alerts") }
}
