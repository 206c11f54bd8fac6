//! `scorewatch audit`: list, export, verify; beside a service that may be running.

use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Failure, output, readable, wrong_input};
use crate::{
    clock::Clock,
    domain::{Scope, Timestamp},
    query::{
        self, Page, Store,
        audit::{self, Entry, Head, Link, hex},
    },
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch audit list                          the newest entries: who did what, when, from where
  scorewatch audit list --action token           tokens that were created or revoked
  scorewatch audit export > audit.jsonl          every entry with its hash, a line each, oldest first
  scorewatch audit verify                        compute the whole chain again
  scorewatch audit verify --head 42:9f86d0…      and make sure that an entry noted earlier is still there

`verify` exits with 1 and names the first entry that is not as it was written, or the triggers
that keep entries from being changed, if they are missing.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List entries, newest first
    List {
        /// Only this action or kind of action: `silence.add`, `silence`
        #[arg(long, value_name = "ACTION")]
        action: Option<String>,
        /// At most that many; 0: all
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: u32,
        /// Only entries before the one of this number
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Print every entry with its hash as JSON, a line each, oldest first
    Export {
        /// Print one JSON list instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Compute every hash again
    Verify {
        /// An entry that was noted earlier, as `verify` prints it
        #[arg(long, value_name = "NUMBER:HASH")]
        head: Option<String>,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn audit(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let config = readable(file)?.config;
    let store = query::open(&config).await?;
    let done = obey(&*store, arguments.action).await;
    store.close().await;
    done
}

async fn obey(store: &dyn Store, action: Action) -> Result<(), Failure> {
    match action {
        Action::List { action, limit, before, json } => {
            let page = Page { after: before, ..Page::first(limit) };
            list(&audit::list(store, &Scope::All, action.as_deref(), &page).await?.items, Clock::System.now(), json)
        }
        Action::Export { json } => export(store, json).await,
        Action::Verify { head, json } => verify(store, head.as_deref(), json).await,
    }
}

fn list(entries: &[Entry], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["NUMBER", "TIME", "WHO", "FROM", "ACTION", "TARGET", "BEFORE", "AFTER"];
    let value = |value: &Option<Value>| output::or_dash(value.as_ref());
    output::listing(entries, json, header, "no entries", |entry| {
        [
            entry.seq.to_string(),
            output::time_ago(entry.at, now),
            entry.body.who.clone(),
            entry.body.origin.to_string(),
            entry.action.clone(),
            output::or_dash(entry.body.target.as_ref()),
            value(&entry.body.before),
            value(&entry.body.after),
        ]
    })
}

async fn export(store: &dyn Store, as_list: bool) -> Result<(), Failure> {
    let (mut after, mut all) = (0, Vec::new());
    loop {
        let links = audit::chain(store, &Scope::All, after).await?;
        let Some(last) = links.last() else { break };
        after = last.seq;
        for link in &links {
            if as_list {
                all.push(exported(link));
            } else {
                output::say(&exported(link).to_string());
            }
        }
    }
    if as_list { output::json(&all) } else { Ok(()) }
}

/// Everything that it takes to compute the hash again: `body` is the text that was hashed.
fn exported(link: &Link) -> Value {
    json!({
        "seq": link.seq,
        "at": link.at,
        "at_ns": link.at.as_nanos(),
        "action": link.action,
        "body": link.body,
        "salt": link.salt.as_deref().map(hex),
        "digest": hex(&link.digest),
        "erases": link.erases,
        "previous": hex(&link.previous),
        "hash": hex(&link.hash),
    })
}

async fn verify(store: &dyn Store, head: Option<&str>, json: bool) -> Result<(), Failure> {
    let read =
        |text| Head::parse(text).ok_or_else(|| wrong_input(format!("`{text}` is not an entry; write `NUMBER:HASH`")));
    let known = head.map(read).transpose()?;
    let verdict = audit::verify(store, &Scope::All, known.as_ref()).await?;
    if json {
        output::json(&verdict)?;
    }
    if let Some(broken) = &verdict.broken {
        let what = format!("entry {} of the audit log is not as it was written: {}", broken.seq, broken.why);
        return Err(Failure::Run((!json).then(|| anyhow::Error::msg(what))));
    }
    if !verdict.missing_guards.is_empty() {
        let missing = verdict.missing_guards.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let what = format!(
            "all entries are as they were written, but the database no longer refuses to change them: {missing} was removed or changed; \
             find out by whom, and restore a backup"
        );
        return Err(Failure::Run((!json).then(|| anyhow::Error::msg(what))));
    }
    if !json {
        output::say(&match verdict.entries {
            0 => "the audit log is empty".to_owned(),
            1 => "1 entry, as it was written".to_owned(),
            entries => format!("{entries} entries, all as they were written"),
        });
        if verdict.erased > 0 {
            output::say(&format!("entries from which the names of an erased tenant were taken: {}", verdict.erased));
        }
        if let Some(Head { seq, hash }) = &verdict.head {
            output::say(&format!("newest entry: {seq}:{hash}"));
            if known.is_none() {
                output::say(
                    "Keep it elsewhere, and pass it to `--head` later: nothing else shows that the newest entries were cut off.",
                );
            }
        }
    }
    Ok(())
}
