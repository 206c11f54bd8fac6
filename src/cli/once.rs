//! `scorewatch once`: one check of each tenant, now.

use std::path::Path;

use super::{Failure, OutsideUnit, configured, output};
use crate::{
    clock::Clock,
    domain::{FailureClass, Scope, Timestamp},
    query::find,
    rule::display,
    service::{
        StartError,
        round::{self, Line, OK},
    },
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch once                    every tenant
  scorewatch once --tenant contoso   one of them
  scorewatch once --json             for scripts

Rules are evaluated and notifications are sent as the service does it. Exit code 1: a tenant could not be read.")]
pub(super) struct Arguments {
    /// Only this tenant; may be repeated
    #[arg(long, value_name = "ID")]
    tenant: Vec<String>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    outside: OutsideUnit,
}

pub(super) async fn once(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    arguments.outside.apply();
    let config = configured(file)?;
    let tenants = find::tenants(&config, &Scope::All, &arguments.tenant)?;
    let progress = output::progress(tenants.len());
    let lines = round::round(&config, &tenants, Clock::System, || progress.inc(1)).await;
    progress.finish_and_clear();
    let lines = lines.map_err(in_use)?;
    report(&lines, arguments.json)?;
    if lines.iter().all(|line| line.outcome == OK) { Ok(()) } else { Err(Failure::Run(None)) }
}

/// Says what to do while a service has the store.
fn in_use(error: StartError) -> Failure {
    if error.is_in_use() {
        let what = format!("{error}; the service that runs checks a tenant with `scorewatch tenants recheck ID`");
        return Failure::Run(Some(anyhow::anyhow!(what)));
    }
    error.into()
}

/// The hint, or what the failure means; the consent link if consent helps, and when the service checks again if that is later than scheduled.
fn what_to_do(line: &Line, now: Timestamp) -> String {
    let consent = line.consent_link.as_ref().map(|at| format!("consent: {at}"));
    let slow = line.backed_off_until.map(|at| format!("checked less often, next {}", output::ago(at, now)));
    let meaning = || FailureClass::from_name(&line.outcome).map(|class| class.words().to_owned());
    line.hint.clone().or_else(meaning).into_iter().chain(consent).chain(slow).collect::<Vec<_>>().join("; ")
}

fn report(lines: &[Line], as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::json(&lines);
    }
    let now = Clock::System.now();
    let rows = lines.iter().map(|line| {
        [
            line.tenant.to_string(),
            line.subject.as_ref().map_or_else(|| line.score.to_string(), |subject| format!("{} {subject}", line.score)),
            output::or_dash(line.value.map(display::number)),
            line.outcome.clone(),
            what_to_do(line, now),
        ]
    });
    output::say(&output::table(["TENANT", "SCORE", "VALUE", "OUTCOME", "WHAT TO DO"], rows));
    let failed = lines.iter().filter(|line| line.outcome != OK).count();
    if failed > 0 {
        output::complain(&format!("{failed} of {} scores could not be read", lines.len()));
    }
    Ok(())
}
