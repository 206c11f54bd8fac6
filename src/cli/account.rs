//! `scorewatch account`: add, list, set-password, disable, enable, sessions, sign-out; beside a service that may be running.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use super::{
    Failure, caller, output, password, readable,
    token::{Permission, sight},
};
use crate::{
    action::account::{self, Draft},
    clock::Clock,
    config::Config,
    domain::{Scope, Timestamp},
    query::{
        self, Store,
        access::{AccountRow, SessionRow},
    },
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch account add ann --role admin
  scorewatch account add ben --role analyst --label tier=gold
  scorewatch account add it-lead --role viewer --tenant contoso
  scorewatch account set-password ann < new-password.txt
  scorewatch account disable ben
  scorewatch account list
  scorewatch account sessions
  scorewatch account sign-out \"Ann Lee\"

A password is asked for on a terminal, or is read as a line of standard input. A new password, and disabling an account,
end its sessions.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an account that signs in with a password
    Add {
        /// The name to sign in with
        name: String,
        #[command(flatten)]
        permission: Permission,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// List accounts: their roles, limits and last sign-in
    List {
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Set an account's password, and end its sessions
    SetPassword {
        /// The name of the account, as `account list` shows it
        name: String,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Disable an account, and end its sessions
    Disable {
        /// The name of the account, as `account list` shows it
        name: String,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// List who is signed in, people of an identity provider included
    Sessions {
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// End all sessions of an account, or of somebody whom an identity provider knows
    SignOut {
        /// The account's name, or a person's subject or name as `account sessions` shows it
        who: String,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Enable a disabled account
    Enable {
        /// The name of the account, as `account list` shows it
        name: String,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn account(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let at_hand = readable(file)?;
    if matches!(arguments.action, Action::Add { .. }) {
        at_hand.must_be_whole("a new account")?;
    }
    let config = at_hand.config;
    let store = query::open(&config).await?;
    let done = obey(&*store, &config, arguments.action).await;
    store.close().await;
    done
}

async fn obey(store: &dyn Store, config: &Config, action: Action) -> Result<(), Failure> {
    let (caller, now) = (caller::caller(), Clock::System.now());
    let (name, is_json, text) = match action {
        Action::List { json } => {
            return list(&query::access::accounts(store, config, &Scope::All).await?, now, json);
        }
        Action::Sessions { json } => {
            return sessions(&query::access::sessions(store, &Scope::All, now).await?, now, json);
        }
        Action::SignOut { who, json } => {
            let ended = account::sign_out(store, &caller, &who, now).await?;
            if json {
                return output::json(&json!({ "ended": ended }));
            }
            let sessions = if ended == 1 { "1 session has" } else { &format!("{ended} sessions have") };
            output::say(&format!("`{who}`: {sessions} ended"));
            return Ok(());
        }
        Action::Add { name, permission, json } => {
            let draft = Draft { name: name.clone(), role: permission.role.into(), limits: permission.limits() };
            let password = password::new(&name).await?;
            account::add(store, config, &caller, &draft, password, Clock::System.now()).await?;
            (name, json, "is added")
        }
        Action::SetPassword { name, json } => {
            let password = password::new(&name).await?;
            account::set_password(store, &caller, &name, password, Clock::System.now()).await?;
            (name, json, "has a new password, and its sessions have ended")
        }
        Action::Disable { name, json } => {
            account::disable(store, &caller, &name, true, now).await?;
            (name, json, "is disabled, and its sessions have ended")
        }
        Action::Enable { name, json } => {
            account::disable(store, &caller, &name, false, now).await?;
            (name, json, "is enabled")
        }
    };
    if is_json {
        let rows = query::access::accounts(store, config, &Scope::All).await?;
        return output::json(&rows.into_iter().find(|row| row.name == name).map_or(json!(null), |row| json!(row)));
    }
    output::say(&format!("account `{name}` {text}"));
    Ok(())
}

fn sessions(rows: &[SessionRow], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["NAME", "SUBJECT", "PROVIDER", "SIGNED IN", "LAST USED"];
    output::listing(rows, json, header, "nobody is signed in", |row| {
        [
            row.name.clone(),
            output::or_dash(row.subject.as_ref()),
            output::or_dash(row.issuer.as_ref()),
            output::ago(row.created_at, now),
            output::ago(row.last_used_at, now),
        ]
    })
}

fn list(rows: &[AccountRow], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["NAME", "STATE", "ROLE", "LIMITED TO", "LAST SIGN-IN", "PASSWORD SET", "CREATED", "BY"];
    let at = |at: Timestamp| output::ago(at, now);
    output::listing(rows, json, header, "no accounts", |row| {
        [
            row.name.clone(),
            if row.disabled_at.is_some() { "disabled" } else { "enabled" }.to_owned(),
            row.role.to_string(),
            sight(&row.limits),
            output::or_dash(row.last_signed_in_at.map(at)),
            at(row.password_set_at),
            at(row.created_at),
            row.created_by.clone(),
        ]
    })
}
