//! `scorewatch store copy`: moves the store to the other database.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Failure, caller, configured, output};
use crate::{action::store, clock::Clock};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Copy the store from SQLite to PostgreSQL, or back
    Copy(CopyArguments),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  systemctl stop scorewatch
  scorewatch store copy --to-config /etc/scorewatch/on-postgresql.yaml
  mv /etc/scorewatch/on-postgresql.yaml /etc/scorewatch/scorewatch.yaml
  systemctl start scorewatch

The source is the store of `--config`, the target that of `--to-config`, which must be empty. No service may work on \
either. Everything is copied in one transaction and compared afterwards: alerts, deliveries, samples, settings, \
accounts and the audit log. All ids stay the same, so nothing is sent again. Do not start a service on the old store \
again, unless you want to go back to it.")]
struct CopyArguments {
    /// The configuration file whose store is the target
    #[arg(long, value_name = "FILE")]
    to_config: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(super) async fn store(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Copy(arguments) => copy(file, &arguments).await,
    }
}

async fn copy(file: &Path, arguments: &CopyArguments) -> Result<(), Failure> {
    let (from, to) = (configured(file)?, configured(&arguments.to_config)?);
    let bar = output::working();
    let mut progress = |table: &str, rows: u64| bar.set_message(format!("{table}: {}", output::counted(rows, "row")));
    let copied = store::copy(&from, &to, &caller::caller(), Clock::System.now(), &mut progress).await;
    bar.finish_and_clear();
    let copied = copied?;
    if arguments.json {
        return output::json(&copied);
    }
    let rows = copied.tables.iter().map(|table| [table.name.clone(), table.rows.to_string(), table.digest.clone()]);
    output::say(&output::table(["TABLE", "ROWS", "DIGEST"], rows));
    output::say("");
    output::say("copied and verified; start the service with the new configuration");
    Ok(())
}
