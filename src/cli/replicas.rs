//! `scorewatch replicas`: the services that share the store.

use std::path::Path;

use super::{Failure, output, readable};
use crate::{
    clock::Clock,
    domain::Scope,
    query::{self, replicas::Replica},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch replicas           which services share the database, and what each works on
  scorewatch replicas --json    the same for programs

A SQLite store belongs to one process, so there are none.")]
pub(super) struct Arguments {
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(super) async fn replicas(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = readable(file)?.config;
    let store = query::open(&config).await?;
    let found = query::replicas::list(&*store, &Scope::All).await;
    store.close().await;
    let now = Clock::System.now();
    let header = ["PLACE", "VERSION", "STARTED", "LAST SEEN", "STATE", "SHARDS", "LATENESS", "CONFIGURATION"];
    output::listing(&found?, arguments.json, header, "no replicas", |replica| {
        [
            output::visible(&replica.place),
            output::visible(&replica.version),
            output::ago(replica.started_at, now),
            output::ago(replica.heard_at, now),
            state(replica).to_owned(),
            replica.shards.to_string(),
            output::or_dash(replica.lateness().as_ref()),
            configuration(replica),
        ]
    })
}

const fn state(replica: &Replica) -> &'static str {
    match (replica.living, replica.leads) {
        (false, _) => "gone",
        (true, true) => "leads",
        (true, false) => "works",
    }
}

fn configuration(replica: &Replica) -> String {
    let note = match (replica.same_configuration, &replica.rejects) {
        (Some(false), Some(_)) => " (differs; rejects changed files)",
        (_, Some(_)) => " (rejects changed files)",
        (Some(false), None) => " (differs)",
        _ => "",
    };
    format!("{}{note}", output::or_dash(Some(&replica.fingerprint).filter(|text| !text.is_empty())))
}
