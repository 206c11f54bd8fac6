//! `scorewatch tenants forget`: erases what the store knows of one tenant, and looks whether anything is left.

use std::path::Path;

use serde::Serialize;

use super::super::{Failure, caller, configured, output};
use crate::{
    action::tenant::{self, Counts, Erased},
    clock::Clock,
    domain::TenantId,
};

/// Arguments of `tenants forget`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch tenants forget contoso --dry-run    count what would be erased
  scorewatch tenants forget contoso              erase it now, and search the store for anything that is left
  scorewatch tenants list --gone                 tenants that are no longer configured, and when they are removed

You can run it next to the service. First remove the tenant from the configuration, and wait until the service has \
loaded that change. Only a backup can bring the data back; deleting backups is up to you. Exit code 1: something is \
left; it is listed.")]
pub(super) struct Arguments {
    /// The tenant's id, as `tenants list --gone` shows it, or its Entra id
    id: String,
    /// Only count what would be erased
    #[arg(long)]
    dry_run: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    id: &'a TenantId,
    dry_run: bool,
    /// Whether a search of the store afterwards found nothing.
    verified: bool,
    #[serde(flatten)]
    erased: &'a Erased,
}

pub(super) async fn forget(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let (id, erased) =
        tenant::forget(&config, &caller::caller(), &arguments.id, arguments.dry_run, Clock::System.now()).await?;
    let is_clean = erased.remains.is_empty();
    if arguments.json {
        let verified = is_clean && !arguments.dry_run;
        output::json(&Report { id: &id, dry_run: arguments.dry_run, verified, erased: &erased })?;
    } else {
        show(&id, &erased, arguments.dry_run);
    }
    if is_clean { Ok(()) } else { Err(Failure::Run(None)) }
}

fn show(id: &TenantId, erased: &Erased, is_dry: bool) {
    let count = |counts: &Counts, table: &str| output::or_dash(counts.get(table).filter(|count| **count > 0));
    let mut tables: Vec<_> = erased.removed.keys().chain(erased.edited.keys()).collect();
    tables.sort_unstable();
    tables.dedup();
    let rows = tables
        .into_iter()
        .map(|table| [table.clone(), count(&erased.removed, table), count(&erased.edited, table)])
        .filter(|[_, removed, edited]| removed != "-" || edited != "-");
    output::say(&output::table(["TABLE", "ROWS ERASED", "ROWS EDITED"], rows));
    output::say("");
    if erased.unsent > 0 {
        let would = if is_dry { "are" } else { "were" };
        output::say(&format!("{} of the deliveries {would} not delivered yet", erased.unsent));
    }
    if is_dry {
        return output::say(&format!("tenant `{id}`: this would be erased; nothing was changed"));
    }
    if erased.rewritten {
        output::say("the store's file was rewritten, because free pages held older data");
    }
    if erased.remains.is_empty() {
        return output::say(&format!(
            "tenant `{id}` was erased; its id, Entra id and names were not found in any table or anywhere in the file"
        ));
    }
    let rows = erased.remains.iter().map(|remain| [remain.place.clone(), remain.count.to_string()]);
    output::say(&output::table(["STILL FOUND IN", "TIMES"], rows));
    output::complain(&format!(
        "data of tenant `{id}` is left; run the command again, and report a bug if it is still there"
    ));
}
