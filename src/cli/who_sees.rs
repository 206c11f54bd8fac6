//! `scorewatch who-sees`: per channel, every tenant that it can ever show; per tenant, every channel.

use std::{collections::BTreeSet, path::Path};

use super::{Failure, configured, output};
use crate::{
    config::Sight,
    domain::{Scope, TenantId},
    query::{self, channels::WhoSees, find},
};

/// A line of the table shows at most this many names.
const NAMED_MAX: usize = 8;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch who-sees                     every channel: which tenants it may show, and what is sent there
  scorewatch who-sees --tenant contoso    the channels that may show this tenant, and which rules notify them
  scorewatch who-sees --json              everything, for an auditor or a script")]
pub(super) struct Arguments {
    /// Only the channels that may show this tenant
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn who_sees(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let scope = &Scope::All;
    let tenant = arguments.tenant.as_deref().map(|id| find::tenant(&config, scope, id)).transpose()?;
    let tenant = tenant.map(|tenant| &tenant.id);
    let lines = query::channels::who_sees(&config, scope, tenant)?;
    if arguments.json {
        return output::json(&lines);
    }
    match tenant {
        Some(tenant) => of_tenant(tenant, &lines),
        None => of_channels(&lines),
    }
    Ok(())
}

fn of_channels(lines: &[WhoSees]) {
    let rows = lines.iter().map(|WhoSees { channel, sight }| {
        let rules: BTreeSet<_> = sight.rules.keys().collect();
        let may_show = if sight.open { "every tenant".to_owned() } else { named(&sight.may_show) };
        let shown = sight.shown();
        let is_notified = if shown.is_empty() { "nothing".to_owned() } else { named(&shown) };
        [channel.to_string(), may_show, is_notified, by(sight, &rules)]
    });
    output::say(&output::table(["CHANNEL", "MAY SHOW", "IS NOTIFIED OF", "BY"], rows));
}

fn of_tenant(tenant: &TenantId, lines: &[WhoSees]) {
    let rows = lines.iter().map(|WhoSees { channel, sight }| {
        let rules: BTreeSet<_> =
            sight.rules.iter().filter(|(_, tenants)| tenants.contains(tenant)).map(|(rule, _)| rule).collect();
        let by = by(sight, &rules);
        [channel.to_string(), if by.is_empty() { "nothing sends there".to_owned() } else { by }]
    });
    output::say(&output::table(["CHANNEL THAT MAY SHOW IT", "NOTIFIED BY"], rows));
}

/// The rules, reports and operator notifications that send to a channel.
fn by(sight: &Sight, rules: &BTreeSet<&String>) -> String {
    let operator = if sight.operator { "the operator, " } else { "" };
    let report = if sight.report { "reports, " } else { "" };
    format!("{operator}{report}{}", named(rules)).trim_end_matches(", ").to_owned()
}

/// The first `NAMED_MAX` names, and how many more there are.
pub(super) fn named<T: ToString>(names: &BTreeSet<T>) -> String {
    let mut shown: Vec<_> = names.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    if names.len() > NAMED_MAX {
        shown.push(format!("{} more", names.len() - NAMED_MAX));
    }
    shown.join(", ")
}
