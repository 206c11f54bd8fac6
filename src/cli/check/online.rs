//! `scorewatch check --online`: signs in to each tenant, asks for its scores, and says what is missing. It writes nothing to the
//! store and notifies nobody, so that it may run next to the service.

use std::collections::BTreeSet;

use super::super::{Failure, output};
use crate::{
    config::Config,
    domain::{FailureClass, Scope},
    query::{
        find,
        online::{self, OK, Presence, Report, ScoreAnswer, TenantAnswer},
    },
    rule::display,
};

pub(super) async fn online(config: &Config, wanted: &[String], as_json: bool) -> Result<(), Failure> {
    let progress = output::progress(find::tenants(config, &Scope::All, wanted)?.len());
    let report = online::online(config, &Scope::All, wanted, || progress.inc(1)).await?;
    progress.finish_and_clear();
    if as_json {
        output::json(&report)?;
    } else {
        show(&report);
    }
    if report.is_fine() { Ok(()) } else { Err(Failure::Run(None)) }
}

fn show(report: &Report) {
    let rows = report.tenants.iter().map(|line| {
        [
            line.tenant.to_string(),
            token(line),
            roles(line),
            listed(line.roles_missing.iter()),
            listed(line.roles_optional.iter().map(|(role, presence)| format!("{role} {}", presence.as_str()))),
            listed(line.scores.iter().map(answer)),
            what_to_do(line),
        ]
    });
    let header = ["TENANT", "TOKEN", "ROLES", "ROLES MISSING", "OPTIONAL ROLES", "SCORES", "WHAT TO DO"];
    output::say(&output::table(header, rows));
    say_what_is_optional(report);
    if !report.channels.is_empty() {
        let rows =
            report.channels.iter().map(|line| [line.channel.to_string(), line.kind.to_owned(), line.outcome.clone()]);
        output::say("");
        output::say(&output::table(["CHANNEL", "TYPE", "ADDRESS"], rows));
    }
    if !report.secrets.is_empty() {
        let rows = report.secrets.iter().map(|line| [line.kept.clone(), line.outcome.clone()]);
        output::say("");
        output::say(&output::table(["SECRET", "OUTCOME"], rows));
    }
    let consents: Vec<_> = report.tenants.iter().filter(|line| line.consent_needed).collect();
    if !consents.is_empty() {
        let rows = consents.iter().map(|line| [line.tenant.to_string(), line.name.clone(), line.consent_link.clone()]);
        output::say("");
        output::say(&output::table(["TENANT", "NAME", "CONSENT LINK, FOR AN ADMINISTRATOR OF THE TENANT"], rows));
    }
    let all = report.tenants.len();
    let (partly, unread): (Vec<_>, Vec<_>) = report
        .tenants
        .iter()
        .filter(|line| !line.is_read())
        .partition(|line| line.scores.iter().any(|score| score.outcome == OK));
    if !unread.is_empty() {
        output::complain(&format!("{} of {all} tenants can't be read", unread.len()));
    }
    if !partly.is_empty() {
        output::complain(&format!("{} of {all} tenants can be read only in part", partly.len()));
    }
    let older = report.tenants.iter().filter(|line| line.newest_rejected.is_some()).count();
    if older > 0 {
        output::complain(&format!(
            "{older} of {all} tenants can sign in only with an older credential: the newest one was rejected"
        ));
    }
}

/// The hints; without any, what the failures mean.
fn what_to_do(line: &TenantAnswer) -> String {
    if !line.hints.is_empty() {
        return line.hints.join("; ");
    }
    let outcomes = line.scores.iter().map(|score| score.outcome).chain([line.token]);
    let meanings: BTreeSet<&str> = outcomes.filter_map(FailureClass::from_name).map(FailureClass::words).collect();
    meanings.into_iter().collect::<Vec<_>>().join("; ")
}

/// What is lost without a role that no score requires.
fn say_what_is_optional(report: &Report) {
    let missing = report.tenants.iter().flat_map(|line| &line.roles_optional);
    let missing: BTreeSet<_> =
        missing.filter(|(_, presence)| **presence == Presence::Missing).map(|(role, _)| *role).collect();
    if !missing.is_empty() {
        let roles = listed(missing.iter().map(|role| format!("`{role}`")));
        output::say("");
        output::say(&format!(
            "Scores can be read without {roles}; with it, alerts on Defender scores say what regressed."
        ));
    }
}

fn token(line: &TenantAnswer) -> String {
    line.newest_rejected.map_or_else(|| line.token.to_owned(), |class| format!("newest: {class}"))
}

fn roles(line: &TenantAnswer) -> String {
    match &line.roles {
        Some(roles) => listed(roles.iter()),
        None if line.token == OK => "unknown".to_owned(),
        None => "-".to_owned(),
    }
}

fn answer(line: &ScoreAnswer) -> String {
    let of = line.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
    let value = line.value.map_or_else(|| line.outcome.to_owned(), display::number);
    format!("{}{of} {value}", line.score)
}

fn listed(texts: impl Iterator<Item = impl ToString>) -> String {
    let texts: Vec<_> = texts.map(|text| text.to_string()).collect();
    if texts.is_empty() { "-".to_owned() } else { texts.join(", ") }
}
