//! `scorewatch diff OLD NEW`: what a new configuration changes, before it is loaded.

use std::{collections::BTreeSet, path::PathBuf};

use super::{Failure, check::state, configured, output, who_sees::named, wrong_input};
use crate::{
    clock::Clock,
    config::Outline,
    domain::Scope,
    query::changes::{self, Changed, Difference, Section, Version},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch diff scorewatch.yaml new/scorewatch.yaml
  scorewatch diff scorewatch.yaml new/scorewatch.yaml --json    for a review in CI

Fields are shown in the files' own words, and things that change alike are one entry. Secrets are not read: only a \
credential's reference is compared. If the new configuration's store exists, the alerts that would open or close are \
listed too.")]
pub(super) struct Arguments {
    /// The main file of the old configuration
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The main file of the new configuration
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(super) async fn diff(arguments: &Arguments) -> Result<(), Failure> {
    for file in [&arguments.old, &arguments.new] {
        if !file.exists() {
            return Err(wrong_input(format!("{}: there is no such file; name two files to compare", file.display())));
        }
    }
    let (old, new) = (configured(&arguments.old)?, configured(&arguments.new)?);
    let (was, is) = (Outline::read(&arguments.old), Outline::read(&arguments.new));
    let (old, new) = (Version { config: &old, written: &was }, Version { config: &new, written: &is });
    let difference = changes::difference(old, new, &Scope::All, Clock::System.now()).await?;
    if arguments.json {
        return output::json(&difference);
    }
    show(&difference);
    Ok(())
}

fn show(difference: &Difference) {
    let mut lines = Vec::new();
    for (channel, tenants) in &difference.newly_seen {
        lines.push(format!("! channel {channel} can now see: {}", named(tenants)));
    }
    for (channel, tenants) in &difference.no_longer_seen {
        lines.push(format!("  channel {channel} can no longer see: {}", named(tenants)));
    }
    for (what, section) in
        [("tenant", &difference.tenants), ("rule", &difference.rules), ("channel", &difference.channels)]
    {
        lines.extend(of_section(what, section));
    }
    lines.extend(fields(&difference.service).map(|field| format!("~ {field}")));
    for line in &lines {
        output::say(&output::visible(line));
    }
    let alerts = difference.alerts.as_deref().unwrap_or_default();
    if !alerts.is_empty() {
        output::say("");
        output::say(&state::table(alerts));
    } else if lines.is_empty() {
        output::say("no differences");
    }
    if difference.alerts.is_none() {
        output::complain("there is no store yet, so no alerts were compared");
    }
}

fn of_section(what: &str, section: &Section) -> Vec<String> {
    let mut lines = Vec::new();
    for (sign, names) in [("+", &section.added), ("-", &section.removed)] {
        if !names.is_empty() {
            lines.push(format!("{sign} {}", all_of(what, &names.iter().collect())));
        }
    }
    // What many things have in common is said once.
    let mut alike: Vec<(&Changed, BTreeSet<&String>)> = Vec::new();
    for (name, changed) in &section.changed {
        match alike.iter_mut().find(|(known, _)| *known == changed) {
            Some((_, names)) => drop(names.insert(name)),
            None => alike.push((changed, BTreeSet::from([name]))),
        }
    }
    for (changed, names) in alike {
        lines.push(format!("~ {}", all_of(what, &names)));
        lines.extend(fields(changed).map(|field| format!("    {field}")));
    }
    lines
}

/// `tenant contoso`, or `200 tenants: …`.
fn all_of(what: &str, names: &BTreeSet<&String>) -> String {
    if names.len() == 1 {
        return format!("{what} {}", named(names));
    }
    format!("{}: {}", output::counted(names.len(), what), named(names))
}

fn fields(changed: &Changed) -> impl Iterator<Item = String> {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    changed.iter().map(move |(field, [before, after])| format!("{field}: {} -> {}", shown(before), shown(after)))
}
