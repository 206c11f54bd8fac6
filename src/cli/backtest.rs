//! `scorewatch backtest`: what rules would have sent on the readings of the past.

mod report;
mod suggest;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Failure, configured, output, wrong_input};
use crate::{
    clock::Clock,
    config::{Config, suite::load_rules},
    diagnostic::Level,
    domain::Scope,
    query::{
        self,
        backtest::{self, Backtest, Csv, Question, Source},
        find,
    },
    rule::Rule,
};

/// Largest CSV file, in bytes: about ten million readings.
const CSV_BYTES_MAX: u64 = 512 * 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch backtest                                       every rule, on the last 90 days of the store
  scorewatch backtest --rule device-score-drop --since 30d
  scorewatch backtest --rules new-rules.yaml                candidate rules, before you rely on them
  scorewatch backtest --rule device-score-drop --suggest 3/week
  scorewatch backtest --csv history.csv --rules new-rules.yaml

A CSV file has a first line `tenant,score,subject,time,value` (`subject` may be left out), times in RFC 3339. Tenants \
in the configuration get its labels and channels; others have none.

Rules are evaluated as the service evaluates them, each reading at its own time. Tenants, labels and channels are the \
current ones, and every message is assumed to arrive immediately. Maintenance windows, the store's silences, fleet \
shifts and digests are applied as the \
configuration has them. Nothing is sent or written; you can run it next to the service.

Exit codes: 0 success, 1 a failure at run time, 2 invalid input.")]
pub(super) struct Arguments {
    /// Replay only this rule; may be repeated
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,
    /// Start of the replay: how far back, or an RFC 3339 time
    #[arg(long, value_name = "TIME", default_value = "90d")]
    since: String,
    /// End of the replay; by default now, with `--csv` the last reading
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this tenant; may be repeated
    #[arg(long, value_name = "ID")]
    tenant: Vec<String>,
    /// Read readings from this file instead of the store
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Read candidate rules from this file instead of the configuration
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Propose for each rule a bound or size that would fire about this often: `3/week`
    #[arg(long, value_name = "N/week", value_parser = suggest::wanted)]
    suggest: Option<f64>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(super) async fn backtest(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let question = Question {
        rules: arguments.rule.clone(),
        tenants: arguments.tenant.clone(),
        since: arguments.since.clone(),
        until: arguments.until.clone(),
        candidates: arguments.rules.as_deref().map(|file| candidates(&config, file)).transpose()?,
    };
    let (scope, now) = (&Scope::All, Clock::System.now());
    let prepared = if let Some(file) = &arguments.csv {
        let csv = read(file)?;
        backtest::prepare(Source::Csv(&csv), &config, scope, &question, now, || {}).await?
    } else {
        let bar = output::progress(find::tenants(&config, scope, &arguments.tenant)?.len());
        let store = query::open(&config).await?;
        let prepared = backtest::prepare(Source::Store(&*store), &config, scope, &question, now, || bar.inc(1)).await;
        store.close().await;
        bar.finish_and_clear();
        prepared?
    };
    // Walking uses every core and waits for nothing.
    let (wanted, as_json) = (arguments.suggest, arguments.json);
    tokio::task::spawn_blocking(move || match wanted {
        Some(wanted) => suggest(&prepared, wanted, as_json),
        None => replay(&prepared, as_json),
    })
    .await?
}

fn replay(prepared: &Backtest, as_json: bool) -> Result<(), Failure> {
    let bar = output::progress(prepared.tenants());
    let report = prepared.report(|| bar.inc(1))?;
    bar.finish_and_clear();
    if as_json {
        return output::json(&report);
    }
    report::show(&report);
    Ok(())
}

fn suggest(prepared: &Backtest, wanted: f64, as_json: bool) -> Result<(), Failure> {
    let bar = output::progress(prepared.walks_to_suggest());
    let tries = prepared.suggest(wanted, || bar.inc(1))?;
    bar.finish_and_clear();
    if as_json {
        return output::json(&tries);
    }
    suggest::show(&tries, wanted);
    Ok(())
}

/// Reads the CSV file.
fn read(file: &Path) -> Result<Csv, Failure> {
    let name = file.display().to_string();
    let unreadable = |error| wrong_input(format!("`{name}` can't be read: {error}"));
    if std::fs::metadata(file).map_err(unreadable)?.len() > CSV_BYTES_MAX {
        return Err(wrong_input(format!("`{name}` is larger than 512 MiB; split it by tenant")));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    Ok(Csv { name, text })
}

/// Reads the file of candidate rules, and prints the problems in it.
fn candidates(config: &Config, file: &Path) -> Result<Vec<Arc<Rule>>, Failure> {
    let known: Vec<_> = config.channels.keys().cloned().collect();
    let (candidates, problems, excerpts) = load_rules(file, &known);
    if !problems.is_empty() {
        output::complain_of(&problems, &excerpts);
    }
    if problems.iter().any(|problem| problem.level == Level::Error) {
        return Err(Failure::Input(None));
    }
    Ok(candidates)
}
