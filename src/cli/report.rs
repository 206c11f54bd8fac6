//! `scorewatch report`: a tenant's month as a page for the customer.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Failure, caller, configured, output};
use crate::{
    action::month::{self, Queued},
    clock::Clock,
    domain::{FailureClass, Language, Scope},
    page,
    query::{
        self, find,
        report::{Month, MonthReport, Question},
    },
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch report --tenant contoso --month 2026-11 --out contoso.html
  scorewatch report --tenant contoso > so-far.html           the present month so far
  scorewatch report --tenant contoso --language de           in German, whatever the tenant's `language:` says
  scorewatch report --tenant contoso --offline               without asking Microsoft about controls
  scorewatch report --tenant contoso --json                  the same as values, for scripts
  scorewatch report --tenant contoso --month 2026-11 --send  send it to the channels with `report: monthly`
  scorewatch report --tenant contoso --channel contoso-mail  send it to this channel

The page stands alone: open it in a browser, print it to PDF, or attach it to mail. Scores and alerts are read from the \
store next to the service. What controls did to the secure score, and the next actions, are asked of Microsoft with the \
tenant's credential; Microsoft keeps records for 90 days. A report that is sent goes through the queue of the running service.

Exit codes: 0 success, 1 a failure at run time, 2 invalid input.")]
pub(super) struct Arguments {
    /// The tenant's id in the configuration
    #[arg(long, value_name = "ID")]
    tenant: String,
    /// The month; the present one by default
    #[arg(long, value_name = "YYYY-MM", value_parser = parsed_month)]
    month: Option<Month>,
    /// The language; by default the tenant's
    #[arg(long, value_name = "CODE", value_parser = language)]
    language: Option<Language>,
    /// Ask Microsoft nothing, and read no credential
    #[arg(long)]
    offline: bool,
    /// Write to this file instead of standard output
    #[arg(long = "out", alias = "output", value_name = "FILE", conflicts_with = "json")]
    output: Option<PathBuf>,
    /// Send it now to every channel that gets the monthly reports of this tenant
    #[arg(long, conflicts_with_all = ["output", "json", "language"])]
    send: bool,
    /// Send it now to this channel
    #[arg(long, value_name = "NAME", conflicts_with_all = ["output", "json", "language"])]
    channel: Option<String>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

fn parsed_month(text: &str) -> Result<Month, String> {
    text.parse().map_err(|complaint: crate::domain::Complaint| complaint.to_string())
}

fn language(text: &str) -> Result<Language, String> {
    let known = Language::ALL.iter().find(|language| language.as_str() == text);
    known.copied().ok_or_else(|| format!("known are {}", Language::ALL.map(Language::as_str).join(", ")))
}

pub(super) async fn report(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let scope = &Scope::All;
    let tenant = find::tenant(&config, scope, &arguments.tenant)?;
    let question = Question {
        tenant: arguments.tenant.clone(),
        month: arguments.month,
        zone: None,
        ask_microsoft: !arguments.offline,
    };
    let store = query::open(&config).await?;
    if arguments.send || arguments.channel.is_some() {
        let wanted = month::Wanted { question, channel: arguments.channel.as_deref() };
        let (caller, now) = (caller::caller(), Clock::System.now());
        let asker = query::report::Asker::alone(&config);
        let queued = month::send(&*store, &config, &caller, &wanted, &asker, now).await;
        let is_running = query::system::is_running(&*store, now).await;
        store.close().await;
        say_queued(&queued?, is_running);
        return Ok(());
    }
    let report = query::report::report(&*store, &config, scope, &question, Clock::System.now()).await;
    store.close().await;
    let report = report?;
    if arguments.json {
        return output::json(&report);
    }
    let language = arguments.language.unwrap_or(tenant.language);
    let page = page::report(&report, language, &config.brand)?;
    match &arguments.output {
        Some(file) => std::fs::write(file, page).with_context(|| format!("cannot write `{}`", file.display()))?,
        None => output::say(page.trim_end()),
    }
    say_missing(&report);
    Ok(())
}

fn say_queued(Queued { channels, report }: &Queued, is_running: bool) {
    let then = output::by_service(is_running, "sends it");
    for channel in channels {
        output::say(&format!(
            "the report on {} in {} is queued for channel `{channel}`; {then}",
            report.tenant, report.month
        ));
    }
    say_missing(report);
}

/// What the report says that it can't say.
fn say_missing(report: &MonthReport) {
    if report.scores.is_empty() {
        output::complain(&format!("the store has no score of `{}` in {}", report.tenant, report.month));
    }
    for unknown in &report.actions_unknown {
        let why = FailureClass::described(&unknown.class);
        output::complain(&format!("{}: Microsoft could not be asked: {why}", unknown.score));
    }
}
