//! `scorewatch backtest`: what rules would have sent on the readings of the past.

mod history;
mod report;
mod suggest;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::report::Report;
use super::{Failure, configured, output, tenant, wrong_input};
use crate::{
    clock::Clock,
    config::{Config, suite::load_rules},
    diagnostic::Gravity,
    domain::{Timestamp, parse_duration},
    replay::{Course, Plan, Receiver, many::walk_all, send},
    rule::Rule,
};

/// What to replay.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch backtest                                       every rule, on the last 90 days of the store
  scorewatch backtest --rule device-score-drop --since 30d
  scorewatch backtest --rules new-rules.yaml                candidate rules, before they are trusted
  scorewatch backtest --rule device-score-drop --suggest 3/week
  scorewatch backtest --csv history.csv --rules new-rules.yaml

A CSV file has a first line `tenant,score,subject,time,value` (`subject` may be left out), times in RFC 3339. Tenants that \
the configuration knows have its labels and channels; the others have none.

Rules are judged as the service judges them, each reading when it is dated. Tenants, labels and channels are those of now; \
every message is taken to arrive at once. Maintenance windows, the store's silences, fleet shifts and digests are applied as the \
configuration has them. Nothing is sent or written, and it may be run beside the service.

Exit codes: 0 fine, 1 something failed at run time, 2 the input is wrong.")]
pub(super) struct Arguments {
    /// Only this rule; may be repeated
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,
    /// How far back, as a duration or an RFC 3339 time
    #[arg(long, value_name = "TIME", default_value = "90d")]
    since: String,
    /// Until when; now by default, with `--csv` the last reading
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this tenant; may be repeated
    #[arg(long, value_name = "ID")]
    tenant: Vec<String>,
    /// Readings from this file, not from the store
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Candidate rules from this file, not those of the configuration
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Propose for each rule a bound or size by which about so many alerts would fire: `3/week`
    #[arg(long, value_name = "N/week", value_parser = suggest::wanted)]
    suggest: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// From when until when.
#[derive(Debug, Clone, Copy)]
struct Span {
    since: Timestamp,
    until: Timestamp,
}

pub(super) async fn backtest(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    // A file of readings may know tenants that the configuration does not.
    if arguments.csv.is_none() {
        arguments.tenant.iter().try_for_each(|id| tenant(&config, id).map(drop))?;
    }
    let mut plan = plan(&config, arguments)?;
    let now = Clock::System.now();
    let until = arguments.until.as_deref().map(|text| instant(text, now)).transpose()?;
    let (courses, span) = if let Some(csv) = &arguments.csv {
        history::of_csv(csv, &config, arguments, until, now)?
    } else {
        let until = until.unwrap_or(now);
        let span = Span { since: instant(&arguments.since, until)?, until };
        let (courses, silences) = history::of_store(&config, arguments, span).await?;
        plan.silences = silences;
        (courses, span)
    };
    if span.since >= span.until {
        return Err(wrong_input("`--since` lies after `--until`"));
    }
    // Walking uses every core and waits for nothing.
    let (suggest, as_json) = (arguments.suggest, arguments.json);
    tokio::task::spawn_blocking(move || match suggest {
        Some(wanted) => suggest::suggest(&plan, &courses, span, wanted, as_json),
        None => replay(&plan, &courses, span, as_json),
    })
    .await?
}

fn replay(plan: &Plan, courses: &[Course], span: Span, as_json: bool) -> Result<(), Failure> {
    let bar = output::progress(courses.len());
    let messages = walk_all(plan, courses.iter(), || bar.inc(1))?;
    bar.finish_and_clear();
    let outcome = send(plan, courses, messages);
    let report = Report::of(plan, courses, &outcome, span);
    if as_json {
        return output::json(&report);
    }
    report.show();
    Ok(())
}

/// A time: `90d` before the end, or an instant.
fn instant(text: &str, end: Timestamp) -> Result<Timestamp, Failure> {
    let time = Timestamp::parse(text).or_else(|| parse_duration(text).ok().map(|back| end.minus(back)));
    time.ok_or_else(|| wrong_input(format!("`{text}` is no time; write `90d`, or one like `2026-01-05T00:00:00Z`")))
}

/// The rules asked for, and the channels of the configuration.
fn plan(config: &Config, arguments: &Arguments) -> Result<Plan, Failure> {
    let mut receivers: BTreeMap<_, _> = config
        .channels
        .iter()
        .map(|(name, settings)| {
            let digest_over = (!settings.kind.keeps_state()).then_some(settings.digest_over);
            (name.clone(), Receiver { fence: settings.fence.clone(), digest_over, pace: settings.pace })
        })
        .collect();
    let mut rules = config.rules.clone();
    if let Some(file) = &arguments.rules {
        let known: Vec<_> = config.channels.keys().cloned().collect();
        let (candidates, problems, excerpts) = load_rules(file, &known);
        if !problems.is_empty() {
            output::complain_of(&problems, &excerpts);
        }
        if problems.iter().any(|problem| problem.gravity == Gravity::Error) {
            return Err(Failure::Input(None));
        }
        // A candidate may name a channel that is yet to come.
        for channel in candidates.iter().flat_map(|rule| &rule.notify) {
            receivers
                .entry(channel.clone())
                .or_insert_with(|| Receiver { digest_over: Some(20), ..Receiver::default() });
        }
        rules = candidates;
    }
    for name in &arguments.rule {
        if !rules.iter().any(|rule| rule.name.as_str() == name) {
            return Err(wrong_input(format!("there is no rule `{name}`")));
        }
    }
    let is_wanted =
        |rule: &Arc<Rule>| arguments.rule.is_empty() || arguments.rule.iter().any(|name| rule.name.as_str() == name);
    rules.retain(is_wanted);
    let (fleet, maintenance) = (config.fleet, config.maintenance.clone());
    Ok(Plan { rules, receivers, fleet, maintenance, silences: Vec::new() })
}
