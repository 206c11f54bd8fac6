//! `scorewatch explain`: why an alert fires or does not, and what became of its messages.

mod blindness;
mod words;

use std::path::Path;

use super::{Failure, configured, output, wrong_input};
use crate::{
    check::blind::OPERATOR_BLIND,
    clock::Clock,
    domain::Scope,
    query::{self, explain::Question, find},
};

/// What to explain.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch explain contoso device-score-drop
  scorewatch explain contoso group-exposure --subject Servers    one device group
  scorewatch explain contoso device-score-drop --json            everything, for scripts
  scorewatch explain contoso operator.blind                      whether the operator is notified that it can't be \
  read, and why

It reads the store next to the service and changes nothing. It explains the newest reading in the store.")]
pub(super) struct Arguments {
    /// The tenant's id
    tenant: String,
    /// The rule's name
    rule: String,
    /// The subject, if the score has several; all of them otherwise
    #[arg(long)]
    subject: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn explain(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let (scope, now) = (&Scope::All, Clock::System.now());
    let tenant = find::tenant(&config, scope, &arguments.tenant)?;
    if arguments.rule == OPERATOR_BLIND {
        return blindness::explain(&config, tenant, arguments).await;
    }
    let rule = find::rule(&config, scope, &arguments.rule).map_err(|error| {
        let names = config.rules.iter().map(|rule| rule.name.as_str()).chain([OPERATOR_BLIND]);
        let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
        wrong_input(format!("{error}; known rules: {}", names.join(", ")))
    })?;
    let question =
        Question { tenant: arguments.tenant.clone(), rule: arguments.rule.clone(), subject: arguments.subject.clone() };
    let store = query::open(&config).await?;
    let trace = query::explain::explain(&*store, &config, scope, &question, now).await;
    store.close().await;
    let trace = trace?;
    if arguments.json {
        return output::json(&trace);
    }
    for line in words::words(&trace, rule, tenant) {
        output::say(&output::visible(&line));
    }
    Ok(())
}
