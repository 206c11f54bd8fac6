//! `scorewatch diff OLD NEW`: what a new configuration changes, before it is loaded.

use std::path::PathBuf;

use super::{Failure, check::state, configured, output, who_sees::named};
use crate::{
    clock::Clock,
    domain::Scope,
    query::changes::{self, Difference},
};

/// What to compare.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch diff scorewatch.yaml new/scorewatch.yaml
  scorewatch diff scorewatch.yaml new/scorewatch.yaml --json    for a review in CI

Secrets are not read: only a credential's reference is compared. If the new configuration's store exists, the alerts \
that would open or close are listed too.")]
pub(super) struct Arguments {
    /// The old configuration
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The new configuration
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn diff(arguments: &Arguments) -> Result<(), Failure> {
    let (old, new) = (configured(&arguments.old)?, configured(&arguments.new)?);
    let difference = changes::difference(&old, &new, &Scope::All, Clock::System.now()).await?;
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
    let sections = [
        ("tenant", &difference.tenants),
        ("rule", &difference.rules),
        ("channel", &difference.channels),
        ("", &difference.service),
    ];
    for (what, section) in sections {
        lines.extend(section.added.iter().map(|name| format!("+ {what} {name}")));
        lines.extend(section.removed.iter().map(|name| format!("- {what} {name}")));
        for (name, fields) in &section.changed {
            lines.push(format!("~ {what} {name}").replace("~  ", "~ "));
            lines.extend(fields.iter().map(|(field, [before, after])| {
                let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "absent".to_owned());
                format!("    {field}: {} -> {}", shown(before), shown(after))
            }));
        }
    }
    if lines.is_empty() {
        lines.push("no differences".to_owned());
    }
    for line in lines {
        output::say(&output::visible(&line));
    }
    match &difference.alerts {
        None => output::say("alerts: there is no store yet"),
        Some(alerts) if alerts.is_empty() => output::say("alerts: none would open or close"),
        Some(alerts) => {
            output::say("");
            output::say(&state::table(alerts));
        }
    }
}
