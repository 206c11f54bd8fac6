//! `scorewatch diff OLD NEW`: what a new configuration changes, before it is loaded.

mod facts;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Serialize;

use self::facts::Facts;
use super::{Failure, beside, check::state, configured, output, who_sees::named};
use crate::{
    config::{Config, StoreLocation},
    domain::{ChannelName, TenantId},
    store::Store,
};

/// What to compare.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch diff scorewatch.yaml new/scorewatch.yaml
  scorewatch diff scorewatch.yaml new/scorewatch.yaml --json    for a review in CI

Secrets are not read out: of a credential only its reference is compared. Where the new configuration's store exists, the \
alerts that would open or close are listed too.")]
pub(super) struct Arguments {
    /// The configuration as it is
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The configuration as it is to be
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is different.
#[derive(Debug, Serialize)]
struct Difference {
    /// Channels that can newly see a tenant: the line to read first.
    newly_seen: BTreeMap<ChannelName, BTreeSet<TenantId>>,
    /// Channels that can no longer see a tenant.
    no_longer_seen: BTreeMap<ChannelName, BTreeSet<TenantId>>,
    tenants: Section,
    rules: Section,
    channels: Section,
    service: Section,
    /// Alerts that the new configuration would change and the old one would not; `None`: there is no store yet.
    alerts: Option<Vec<state::Line>>,
}

/// Things of one kind, by name.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Section {
    added: Vec<String>,
    removed: Vec<String>,
    /// By name, the fields that differ, each with what it was and what it is.
    changed: BTreeMap<String, BTreeMap<String, [Option<String>; 2]>>,
}

pub(super) async fn diff(arguments: &Arguments) -> Result<(), Failure> {
    let (old, new) = (configured(&arguments.old)?, configured(&arguments.new)?);
    let difference = difference(&old, &new).await?;
    if arguments.json {
        return output::json(&difference);
    }
    show(&difference);
    Ok(())
}

async fn difference(old: &Config, new: &Config) -> Result<Difference, Failure> {
    let (before, after) = (shown(old), shown(new));
    Ok(Difference {
        newly_seen: beyond(&after, &before),
        no_longer_seen: beyond(&before, &after),
        tenants: section(&facts::tenants(old), &facts::tenants(new)),
        rules: section(&facts::rules(old), &facts::rules(new)),
        channels: section(&facts::channels(old), &facts::channels(new)),
        service: section(&facts::service(old), &facts::service(new)),
        alerts: alerts(old, new).await?,
    })
}

async fn alerts(old: &Config, new: &Config) -> Result<Option<Vec<state::Line>>, Failure> {
    let StoreLocation::Sqlite(path) = &new.store;
    if !Path::new(path).exists() {
        return Ok(None);
    }
    let store = beside(new).await?;
    let lines = async {
        let anyway = state::lines_of(&store, old).await?;
        let mut lines = state::lines_of(&store, new).await?;
        lines.retain(|line| line.what != "stays" && !anyway.contains(line));
        Ok(Some(lines))
    };
    let lines = lines.await;
    store.close().await;
    lines
}

/// What each channel may show, and what it is told of within that.
fn shown(config: &Config) -> BTreeMap<ChannelName, BTreeSet<TenantId>> {
    config.sights().into_iter().map(|(channel, sight)| (channel, sight.may_show)).collect()
}

/// What `left` has and `right` has not.
fn beyond(
    left: &BTreeMap<ChannelName, BTreeSet<TenantId>>,
    right: &BTreeMap<ChannelName, BTreeSet<TenantId>>,
) -> BTreeMap<ChannelName, BTreeSet<TenantId>> {
    let none = BTreeSet::new();
    let beyond = left.iter().map(|(channel, tenants)| {
        (channel.clone(), tenants.difference(right.get(channel).unwrap_or(&none)).cloned().collect::<BTreeSet<_>>())
    });
    beyond.filter(|(_, tenants)| !tenants.is_empty()).collect()
}

fn section(old: &BTreeMap<String, Facts>, new: &BTreeMap<String, Facts>) -> Section {
    let only_in = |left: &BTreeMap<String, Facts>, right: &BTreeMap<String, Facts>| {
        left.keys().filter(|name| !right.contains_key(*name)).cloned().collect()
    };
    let mut changed = BTreeMap::new();
    for (name, after) in new {
        let Some(before) = old.get(name).filter(|before| *before != after) else { continue };
        let fields: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let differing = fields.into_iter().filter(|field| before.get(*field) != after.get(*field));
        let pairs = differing
            .map(|field| ((*field).to_owned(), [before.get(field).cloned(), after.get(field).cloned()]))
            .collect();
        changed.insert(name.clone(), pairs);
    }
    Section { added: only_in(new, old), removed: only_in(old, new), changed }
}

fn show(difference: &Difference) {
    let mut lines = Vec::new();
    for (channel, tenants) in &difference.newly_seen {
        lines.push(format!("! channel {channel} can newly see: {}", named(tenants)));
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
        lines.push("nothing is different".to_owned());
    }
    for line in lines {
        output::say(&output::visible(&line));
    }
    match &difference.alerts {
        None => output::say("alerts: there is no store yet"),
        Some(alerts) if alerts.is_empty() => output::say("alerts: none would open or close because of this"),
        Some(alerts) => {
            output::say("");
            output::say(&state::table(alerts));
        }
    }
}
