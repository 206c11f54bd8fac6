//! `scorewatch doctor`: whether the installation is sound, with a verdict for each part of it.

use std::path::Path;

use super::{
    Failure, OutsideUnit,
    output::{self, Ink},
};
use crate::{
    clock::Clock,
    config,
    service::doctor::{self, Diagnosis, Finding, Verdict},
};

/// Columns of the longest check's name.
const CHECK_WIDTH: usize = 13;

/// What to look at.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch doctor              every part of the installation: verdict, what was seen, what to do
  scorewatch doctor --offline    contact no host beyond this machine
  scorewatch doctor --strict     fail on warnings, too
  scorewatch doctor --json
  sudo scorewatch doctor --config /etc/scorewatch/scorewatch.yaml --credentials secrets:/etc/scorewatch/secrets

Looks at the configuration, modes of files and folders, the store and its disk, the running service and its limits, credentials that \
expire, channels, checks, the clock, and every host that the service calls. It changes nothing and sends no message, so you can run it \
next to the service, as root or as the service's user. To try every sign-in, use `scorewatch check --online`.

Exit codes: 0 nothing is wrong (there may be warnings), 1 something is, 2 the configuration is invalid.")]
pub(super) struct Arguments {
    /// Contact no host beyond this machine, and ask no store for secrets
    #[arg(long)]
    offline: bool,
    /// Fail if there is a warning
    #[arg(long)]
    strict: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    outside: OutsideUnit,
}

pub(super) async fn doctor(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    arguments.outside.apply();
    let loaded = config::load(file);
    if let Some(config) = &loaded.config {
        output::set_zone(&config.timezone);
    }
    let diagnosis = doctor::examine(loaded, arguments.offline, &Clock::System).await;
    if arguments.json {
        output::json(&diagnosis)?;
    } else {
        show(&diagnosis);
    }
    match diagnosis.verdict {
        _ if !diagnosis.has_configuration => Err(Failure::Input(None)),
        Verdict::Error => Err(Failure::Run(None)),
        Verdict::Warning if arguments.strict => Err(Failure::Run(None)),
        _ => Ok(()),
    }
}

fn show(diagnosis: &Diagnosis) {
    for Finding { check, verdict, what, instead } in &diagnosis.findings {
        let line = format!("{:<8} {check:<CHECK_WIDTH$} {}", verdict.as_str(), output::visible(what));
        match verdict {
            Verdict::Error => output::say_in(Ink::Red, &line),
            Verdict::Warning => output::say_in(Ink::Bold, &line),
            Verdict::Skipped => output::say_in(Ink::Faint, &line),
            Verdict::Ok => output::say(&line),
        }
        if let Some(instead) = instead.as_ref().filter(|instead| !instead.is_empty()) {
            output::say(&format!("{:<8} {:<CHECK_WIDTH$} {}", "", "→", output::visible(instead)));
        }
    }
    let count = |verdict| diagnosis.findings.iter().filter(|finding| finding.verdict == verdict).count();
    let [errors, warnings] = [(Verdict::Error, "error"), (Verdict::Warning, "warning")]
        .map(|(verdict, noun)| output::counted(count(verdict), noun));
    output::say("");
    output::say(&format!("{errors}, {warnings}, {} ok, {} skipped", count(Verdict::Ok), count(Verdict::Skipped)));
}
