//! `scorewatch alerts accept`: one alert, all that a fleet shift's notice covered, or all that filters pick.

use crate::{
    action::alert::{self, Accepted, Pick, Signature},
    cli::{Failure, caller, output},
    clock::Clock,
    config::Config,
    domain::{Scope, ScoreKind, Severity},
    query::{Store, ids},
    rule::AlertKey,
};

/// The alerts to accept: one by its tenant and rule, or all that match every given filter.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The tenant of one alert; or without a rule, the id of the alert or of a message about it, or its first letters
    #[arg(value_name = "TENANT|ID", conflicts_with_all = ["shift", "rule", "score", "severity", "tenants", "labels"])]
    tenant: Option<String>,
    /// The rule of that alert
    #[arg(value_name = "RULE")]
    of_rule: Option<String>,
    /// The subject of that alert, if the score has several
    #[arg(long, requires = "of_rule")]
    subject: Option<String>,
    /// All alerts that this fleet shift's notices covered, by its id or the first letters of it or of a notice's
    #[arg(long, value_name = "ID")]
    shift: Option<String>,
    /// All alerts of this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// All alerts of this score
    #[arg(long, value_name = "SCORE", value_parser = score)]
    score: Option<ScoreKind>,
    /// All alerts of this severity: info, warning or critical
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    severity: Option<Severity>,
    /// All alerts of this tenant; may be repeated
    #[arg(long = "tenant", value_name = "ID")]
    tenants: Vec<String>,
    /// All alerts of tenants with this label; if repeated, all labels must match
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Who accepts them, for the message that says so; by default the user who runs the command
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// Why they are accepted, for the audit log
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Only show which alerts would be accepted
    #[arg(long)]
    dry_run: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

fn score(text: &str) -> Result<ScoreKind, String> {
    let known = || ScoreKind::ALL.map(ScoreKind::as_str).join(", ");
    ScoreKind::from_name(text).ok_or_else(|| format!("unknown score; use one of {}", known()))
}

fn severity(text: &str) -> Result<Severity, String> {
    let known = || Severity::ALL.map(Severity::as_str).join(", ");
    let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
    found.ok_or_else(|| format!("unknown severity; use one of {}", known()))
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| "expected `KEY=VALUE`".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) async fn accept(store: &dyn Store, config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let (scope, now) = (&Scope::All, Clock::System.now());
    let Arguments {
        tenant,
        of_rule,
        subject,
        shift,
        rule,
        score,
        severity,
        tenants,
        labels,
        author,
        comment,
        dry_run,
        json,
    } = arguments;
    let (author, caller) = (Some(caller::author(author)), caller::caller());
    if let Some(tenant) = tenant {
        let which = super::Which { tenant, rule: of_rule, subject }.find(store, scope).await?;
        let signature = Signature { by: author.as_deref(), comment: comment.as_deref() };
        let AlertKey { rule, tenant, .. } = alert::accept(store, config, &caller, &which, signature, now).await?;
        output::say(&format!("accepted: `{rule}` for `{tenant}` starts from the new level"));
        return Ok(());
    }
    let shift = ids::shift(store, scope, shift.as_deref()).await?;
    let pick = Pick { shift, rule, score, severity, tenants, labels, by: author, comment, ..Pick::default() };
    let Accepted { alerts: accepted, without_level, changed } =
        alert::accept_all(store, config, &caller, &pick, dry_run, now).await?;
    if json {
        return output::json(&accepted);
    }
    let verb = if dry_run { "would be accepted" } else { "accepted" };
    for row in &accepted {
        output::say(&format!("{verb}: `{}` for `{}`", row.key.rule, row.key.tenant));
    }
    output::say(&format!("{verb}: {}", output::counted(accepted.len(), "alert")));
    if without_level > 0 {
        let what = output::counted(without_level, "alert");
        output::say(&format!(
            "not changed: {what} of `below`, `above` or `no_data` rules, which have no level to accept"
        ));
    }
    if changed > 0 {
        let what = output::counted(changed, "alert");
        output::say(&format!("passed over: {what} that changed or ended in between; look again"));
    }
    Ok(())
}
