//! `scorewatch check`: validates configuration, rules and templates; every problem at once.

mod online;
pub(super) mod state;

use std::path::Path;

use serde::Serialize;

use super::{Failure, output};
use crate::{
    clock::Clock,
    config::{self, Config},
    diagnostic::Problem,
    domain::Timestamp,
};

/// How many coming runs of each schedule `-v` shows.
const RUNS_SHOWN: usize = 3;

/// What to show.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch check                                   exit code 0: the service would take this configuration
  scorewatch check -v                                also what was understood, and when the next checks would run
  scorewatch check --json --config new/scorewatch.yaml
  scorewatch check --online                          also sign in to each tenant and ask for its scores
  scorewatch check --online --tenant contoso         one of them
  scorewatch check --against-state                   which alerts would open, close or change channel

`--online` writes nothing to the store and tells nobody, and may be run beside the service. Exit code 1: some \
tenant can't be read, or a channel's address is refused.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Arguments {
    /// Say what was understood, and when the next checks would run
    #[arg(short, long, conflicts_with = "online")]
    verbose: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Sign in to each tenant, ask for its scores, and say what is missing
    #[arg(long)]
    online: bool,
    /// Say which alerts would open, close or change channel if this were loaded now
    #[arg(long, conflicts_with_all = ["verbose", "online"])]
    against_state: bool,
    /// With `--online`: only this tenant; may be repeated
    #[arg(long, value_name = "ID", requires = "online")]
    tenant: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    valid: bool,
    problems: &'a [Problem],
    summary: Option<Summary>,
}

#[derive(Debug, Serialize)]
struct Summary {
    tenants: usize,
    rules: usize,
    channels: usize,
    schedules: Vec<ScheduleLine>,
}

#[derive(Debug, Serialize)]
struct ScheduleLine {
    schedule: String,
    timezone: String,
    tenants: usize,
    next_runs: Vec<Timestamp>,
}

pub(super) async fn check(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let mut loaded = config::load(file);
    if (arguments.online || arguments.against_state)
        && let Some(config) = loaded.config.take()
    {
        if !loaded.problems.is_empty() {
            output::complain_of(&loaded.problems, &loaded.excerpts);
        }
        if arguments.against_state {
            return state::against_state(&config, arguments.json).await;
        }
        return online::online(&config, &arguments.tenant, arguments.json).await;
    }
    let summary = loaded.config.as_ref().map(summarise);
    if arguments.json {
        output::json(&Report { valid: summary.is_some(), problems: &loaded.problems, summary })?;
        return if loaded.config.is_some() { Ok(()) } else { Err(Failure::Input(None)) };
    }
    if !loaded.problems.is_empty() {
        output::complain_of(&loaded.problems, &loaded.excerpts);
    }
    let Some(summary) = summary else { return Err(Failure::Input(None)) };
    let Summary { tenants, rules, channels, schedules } = &summary;
    let [tenants, rules, channels] =
        [counted(*tenants, "tenant"), counted(*rules, "rule"), counted(*channels, "channel")];
    output::say(&format!("{}: {tenants}, {rules}, {channels}: fine", file.display()));
    if arguments.verbose {
        for line in schedules {
            let runs: Vec<_> = line.next_runs.iter().map(ToString::to_string).collect();
            output::say(&format!(
                "schedule \"{}\" ({}), {}: next runs would be {}",
                line.schedule,
                line.timezone,
                counted(line.tenants, "tenant"),
                runs.join(", ")
            ));
        }
    }
    Ok(())
}

fn summarise(config: &Config) -> Summary {
    let mut schedules: Vec<(&crate::schedule::Schedule, usize)> = Vec::new();
    for tenant in config.tenants.values() {
        match schedules.iter_mut().find(|(schedule, _)| *schedule == &*tenant.schedule) {
            Some((_, tenants)) => *tenants += 1,
            None => schedules.push((&tenant.schedule, 1)),
        }
    }
    let now = Clock::System.now();
    let lines = schedules.into_iter().map(|(schedule, tenants)| ScheduleLine {
        schedule: schedule.expression().to_owned(),
        timezone: schedule.zone().to_string(),
        tenants,
        next_runs: std::iter::successors(schedule.next_tick(now), |tick| schedule.next_tick(*tick))
            .take(RUNS_SHOWN)
            .collect(),
    });
    Summary {
        tenants: config.tenants.len(),
        rules: config.rules.len(),
        channels: config.channels.len(),
        schedules: lines.collect(),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
