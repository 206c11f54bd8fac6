//! `scorewatch backup` and `scorewatch restore`.

use std::{
    io::{IsTerminal, stdout},
    path::{Path, PathBuf},
};

use super::{Failure, caller, configured, output, readable, wrong_input};
use crate::{
    action::store::{self, Backup, Contents},
    clock::Clock,
    config::Config,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch backup /backup/scorewatch-$(date +%F).db
  scorewatch backup - > scorewatch.db      to standard output, once it is verified

You can run it next to the service, which goes on meanwhile. The backup is one file that only its owner can read. It is \
verified, and gets its name once it is complete and on the disk. For a store in PostgreSQL, use pg_dump or base backups.")]
pub(super) struct BackupArguments {
    /// The file to write; it must not exist. `-` is standard output
    file: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  systemctl stop scorewatch
  scorewatch restore /backup/scorewatch-2026-12-01.db
  systemctl start scorewatch

The backup is verified before anything is changed. The store that it replaces is kept beside it, as \
`scorewatch.db.replaced-TIME`. Notifications that are made from the next start on have ids that no receiver has seen. \
For a store in PostgreSQL, use pg_restore or base backups.")]
pub(super) struct RestoreArguments {
    /// The backup to restore, as `backup` wrote it
    file: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(super) async fn backup(file: &Path, arguments: &BackupArguments) -> Result<(), Failure> {
    let config = readable(file)?.config;
    if arguments.file == Path::new("-") {
        return write(&config, arguments.json).await;
    }
    let made = store::backup(&config, &caller::caller(), &arguments.file, Clock::System.now()).await?;
    if arguments.json {
        return output::json(&made);
    }
    output::say(&format!("backed up to `{}`: {} in {}", made.path.display(), holds(&made.contents), size(made.bytes)));
    output::say(verified(&made));
    Ok(())
}

/// Writes the backup to standard output, and what is to be said about it to standard error.
async fn write(config: &Config, is_json: bool) -> Result<(), Failure> {
    if is_json {
        return Err(wrong_input("`--json` would be mixed with the backup on standard output; leave it out"));
    }
    if stdout().is_terminal() {
        return Err(wrong_input("standard output is a terminal; write `scorewatch backup - > FILE`"));
    }
    let made = store::write_backup(config, &caller::caller(), &mut stdout(), Clock::System.now()).await?;
    output::complain(&format!("backed up to standard output: {} in {}", holds(&made.contents), size(made.bytes)));
    output::complain(verified(&made));
    Ok(())
}

const fn verified(made: &Backup) -> &'static str {
    if made.is_compared {
        "verified: integrity, schema, and the number of rows in each table"
    } else {
        "verified: integrity and schema; the rows could not be compared, as the store was written to meanwhile"
    }
}

pub(super) async fn restore(file: &Path, arguments: &RestoreArguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let restored = store::restore(&config, &caller::caller(), &arguments.file, Clock::System.now()).await?;
    if arguments.json {
        return output::json(&restored);
    }
    output::say(&format!("restored `{}`: {}", restored.path.display(), holds(&restored.contents)));
    if let Some(replaced) = &restored.replaced {
        output::say(&format!("the store that was there is kept as `{}`", replaced.display()));
    }
    output::say("start the service; notifications that it makes have new ids");
    Ok(())
}

fn holds(contents: &Contents) -> String {
    format!("schema {}, {}", contents.schema, output::counted(contents.rows_in_all(), "row"))
}

/// In units of 1024, as disks are shown.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KB", bytes.div_ceil(1024)),
        _ => format!("{} MB", bytes.div_ceil(1_048_576)),
    }
}
