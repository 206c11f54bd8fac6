//! `scorewatch check`: validates configuration, rules and templates; every problem at once.

mod online;
pub(super) mod state;

use std::{path::Path, sync::Arc};

use serde::Serialize;

use super::{
    Failure, OutsideUnit, output,
    windows::{self, WindowLine},
};
use crate::{
    channel::ChannelSettings,
    clock::Clock,
    config::{self, Config},
    diagnostic::{Place, Problem, Warning},
    domain::{ChannelName, Timestamp},
    schedule::{Schedule, Zone},
    zones::Zones,
};

/// How many upcoming runs of each schedule `-v` shows.
const RUNS_SHOWN: usize = 3;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch check                                   exit code 0: the service would accept this configuration
  scorewatch check -v                                also show what was understood, and when the next checks would run
  scorewatch check --json --config new/scorewatch.yaml
  scorewatch check --strict                          fail on warnings, too
  scorewatch check --list-warnings                   every warning and its meaning
  scorewatch check --online                          also sign in to each tenant and ask for its scores
  scorewatch check --online --tenant contoso         one of them
  scorewatch check --against-state                   which alerts would open, close or change channel

A comment `# scorewatch: allow(NAME)` on a line, or on the line above it, turns the warning NAME off there.

`--online` writes nothing to the store and notifies nobody; you can run it next to the service. Exit code 1: a tenant \
can't be read, its newest credential is rejected, or a channel's address is not allowed.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Arguments {
    /// Also show what was understood, and when the next checks would run
    #[arg(short, long, conflicts_with = "online")]
    verbose: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    /// Fail if there is a warning
    #[arg(long)]
    strict: bool,
    /// List every warning with its name and what it means
    #[arg(long, exclusive = true)]
    list_warnings: bool,
    /// Sign in to each tenant, ask for its scores, and say what is missing
    #[arg(long)]
    online: bool,
    /// Say which alerts would open, close or change channel if this were loaded now
    #[arg(long, conflicts_with_all = ["verbose", "online"])]
    against_state: bool,
    /// With `--online`: only this tenant; may be repeated
    #[arg(long, value_name = "ID", requires = "online")]
    tenant: Vec<String>,
    #[command(flatten)]
    outside: OutsideUnit,
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
    reports: Vec<ReportLine>,
    maintenance: Vec<WindowLine>,
    time_zone_data: TimeZoneData,
}

/// The time zone data that schedules and windows are calculated with.
#[derive(Debug, Serialize)]
struct TimeZoneData {
    release: String,
    source: String,
}

#[derive(Debug, Serialize)]
struct ScheduleLine {
    schedule: String,
    timezone: String,
    tenants: usize,
    next_runs: Vec<Timestamp>,
}

/// When a channel gets a report next.
#[derive(Debug, Serialize)]
struct ReportLine {
    channel: ChannelName,
    /// `all`: on all of its tenants; `month`: on the month of each.
    report: &'static str,
    schedule: String,
    timezone: String,
    /// How many tenants the channel may show.
    tenants: usize,
    next: Vec<Timestamp>,
}

pub(super) async fn check(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    arguments.outside.apply();
    if arguments.list_warnings {
        let rows = Warning::ALL.iter().map(|warning| [warning.name().to_owned(), warning.meaning().to_owned()]);
        output::say(&output::table(["WARNING", "WHAT IT MEANS"], rows));
        return Ok(());
    }
    let mut loaded = config::load(file);
    loaded.problems.extend(of_old_zones(file, &loaded.zones, Clock::System.now()));
    let is_refused = |problems: &[Problem]| arguments.strict && !problems.is_empty();
    if (arguments.online || arguments.against_state)
        && let Some(config) = loaded.config.take()
    {
        if !loaded.problems.is_empty() {
            output::complain_of(&loaded.problems, &loaded.excerpts);
        }
        if is_refused(&loaded.problems) {
            return Err(Failure::Input(None));
        }
        if arguments.against_state {
            return state::against_state(&config, arguments.json).await;
        }
        return online::online(&config, &arguments.tenant, arguments.json).await;
    }
    let loaded = loaded.with_secrets_tried().await;
    let judged = tokio::task::spawn_blocking(move || loaded.with_world_judged(Clock::System.now()));
    let loaded = judged.await?;
    let config = loaded.config.as_ref().filter(|_| !loaded.has_error());
    let summary = config.map(|config| summarise(config, &loaded.zones));
    if arguments.json {
        output::json(&Report { valid: summary.is_some(), problems: &loaded.problems, summary })?;
        let is_bad = loaded.has_error() || is_refused(&loaded.problems);
        return if is_bad { Err(Failure::Input(None)) } else { Ok(()) };
    }
    if !loaded.problems.is_empty() {
        output::complain_of(&loaded.problems, &loaded.excerpts);
    }
    let Some(summary) = summary else { return Err(Failure::Input(None)) };
    show(file, &summary, loaded.problems.len(), arguments.verbose);
    if is_refused(&loaded.problems) { Err(Failure::Input(None)) } else { Ok(()) }
}

fn show(file: &Path, summary: &Summary, warnings: usize, is_verbose: bool) {
    let Summary { tenants, rules, channels, schedules, reports, maintenance, time_zone_data } = summary;
    let [tenants, rules, channels] =
        [output::counted(*tenants, "tenant"), output::counted(*rules, "rule"), output::counted(*channels, "channel")];
    // "Fine" means that nothing is known that would keep it from working as intended.
    let verdict =
        if warnings == 0 { "fine".to_owned() } else { format!("valid, with {}", output::counted(warnings, "warning")) };
    output::say(&format!("{}: {tenants}, {rules}, {channels}: {verdict}", file.display()));
    if !is_verbose {
        return;
    }
    output::say(&format!("time zone data: {} ({})", time_zone_data.release, time_zone_data.source));
    for line in schedules {
        let runs = shown_in(&line.timezone, &line.next_runs);
        output::say(&format!(
            "schedule \"{}\" ({}), {}: next runs would be {}",
            line.schedule,
            line.timezone,
            output::counted(line.tenants, "tenant"),
            runs
        ));
    }
    for ReportLine { channel, report, schedule, timezone, tenants, next } in reports {
        let of = if *report == "month" { "monthly report of each of" } else { "report on" };
        let next = shown_in(timezone, next);
        output::say(&format!(
            "channel `{channel}` \"{schedule}\" ({timezone}), {of} {}: next {}",
            output::counted(*tenants, "tenant"),
            next
        ));
    }
    for WindowLine { name, covers, schedule, timezone, next, .. } in maintenance {
        let next: Vec<&str> = next.iter().map(|opening| opening.shown.as_str()).collect();
        let next = if next.is_empty() { "never".to_owned() } else { next.join(", ") };
        output::say(&format!("maintenance `{name}` \"{schedule}\" ({timezone}), {covers}: next open {next}"));
    }
}

/// Instants on the clock of that zone.
fn shown_in(timezone: &str, times: &[Timestamp]) -> String {
    let zone: Zone = timezone.parse().unwrap_or_default();
    times.iter().map(|at| zone.written(*at)).collect::<Vec<_>>().join(", ")
}

/// When each channel gets its next reports.
fn reports(config: &Config, now: Timestamp) -> Vec<ReportLine> {
    let line = |settings: &ChannelSettings, report, schedule: &Schedule| ReportLine {
        channel: settings.name.clone(),
        report,
        schedule: schedule.expression().to_owned(),
        timezone: schedule.zone().to_string(),
        tenants: config.tenants.values().filter(|one| settings.audience.admits(&one.id, &one.labels)).count(),
        next: next_ticks(schedule, now),
    };
    let of = |settings: &Arc<ChannelSettings>| {
        let all = settings.report.as_ref().map(|schedule| line(settings, "all", schedule));
        let month = settings.month.as_ref().map(|schedule| line(settings, "month", schedule));
        all.into_iter().chain(month).collect::<Vec<_>>()
    };
    config.channels.values().flat_map(of).collect()
}

fn next_ticks(schedule: &Schedule, now: Timestamp) -> Vec<Timestamp> {
    std::iter::successors(schedule.next_tick(now), |tick| schedule.next_tick(*tick)).take(RUNS_SHOWN).collect()
}

/// A warning if the time zone data is more than a year old.
fn of_old_zones(file: &Path, zones: &Zones, now: Timestamp) -> Option<Problem> {
    let (what, instead) = zones.age_warning(now)?;
    let place = Place { file: file.to_owned(), line: 1, column: 1 };
    Some(Problem::warning(Warning::ZoneDataOld, place, "", what, instead))
}

fn summarise(config: &Config, zones: &Zones) -> Summary {
    let mut schedules: Vec<(&Schedule, usize)> = Vec::new();
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
        next_runs: next_ticks(schedule, now),
    });
    Summary {
        tenants: config.tenants.len(),
        rules: config.rules.len(),
        channels: config.channels.len(),
        schedules: lines.collect(),
        reports: reports(config, now),
        maintenance: windows::lines(config, now),
        time_zone_data: TimeZoneData { release: zones.release().to_string(), source: zones.source() },
    }
}
