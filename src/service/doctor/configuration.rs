//! The configuration with its secrets, and the time zone data.

use super::{Finding, finding::counted};
use crate::{
    config::Loaded,
    diagnostic::{Level, Problem, Warning},
    domain::Timestamp,
    zones::Zones,
};

/// Errors of the configuration that are shown; `scorewatch check` shows all.
const ERRORS_SHOWN: usize = 5;
const CHECK: &str = "run `scorewatch check` for every problem with its place";

/// The configuration itself, then what `check` finds out about modes and days.
pub(super) fn findings(loaded: &Loaded) -> Vec<Finding> {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        loaded.problems.iter().partition(|problem| problem.level == Level::Error);
    let mut found: Vec<_> = errors.iter().take(ERRORS_SHOWN).map(|problem| of_error(problem)).collect();
    if errors.len() > ERRORS_SHOWN {
        let rest = counted(errors.len() - ERRORS_SHOWN, "more error");
        found.push(Finding::error("configuration", format!("it has {rest}"), CHECK));
    }
    let (apart, rest): (Vec<_>, Vec<_>) = warnings.into_iter().partition(|problem| check_of(problem).is_some());
    if let Some(config) = loaded.config.as_ref().filter(|_| errors.is_empty()) {
        let [tenants, rules, channels] = [
            counted(config.tenants.len(), "tenant"),
            counted(config.rules.len(), "rule"),
            counted(config.channels.len(), "channel"),
        ];
        let what = format!("{tenants}, {rules}, {channels}");
        found.push(match rest.len() {
            0 => Finding::ok("configuration", what),
            count => Finding::warning("configuration", format!("{what}, with {}", counted(count, "warning")), CHECK),
        });
    }
    found.extend(apart.into_iter().filter_map(|problem| Some(of_warning(check_of(problem)?, problem))));
    found
}

fn of_error(problem: &Problem) -> Finding {
    Finding::error("configuration", at(problem), &*problem.instead)
}

fn of_warning(check: &'static str, problem: &Problem) -> Finding {
    Finding::warning(check, at(problem), &*problem.instead)
}

fn at(problem: &Problem) -> String {
    let key = if problem.key.is_empty() { String::new() } else { format!("{}: ", problem.key) };
    format!("{}: {key}{}", problem.place, problem.what)
}

/// The check that a warning belongs to, if it has a line of its own.
fn check_of(problem: &Problem) -> Option<&'static str> {
    match problem.warning? {
        Warning::SecretOpenToOthers | Warning::StoreNotWritable | Warning::StoreOpenToOthers => Some("modes"),
        Warning::CredentialExpired
        | Warning::CertificateExpired
        | Warning::CertificateNotYetValid
        | Warning::ExclusionEnded
        | Warning::ExclusionEndsSoon => Some("expiry"),
        _ => None,
    }
}

/// The time zone data by which schedules and windows are calculated.
pub(super) fn zones(zones: &Zones, now: Timestamp) -> Finding {
    match zones.age_warning(now) {
        Some((what, instead)) => Finding::warning("time zones", what, instead),
        None => Finding::ok("time zones", format!("{} ({})", zones.release(), zones.source())),
    }
}
