//! `scorewatch token`: create, list, revoke; beside a service that may be running.

use std::path::Path;

use clap::{Subcommand, ValueEnum};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Failure, caller, output, readable};
use crate::{
    action::{
        limits::Written,
        token::{self, Draft, VALID_FOR},
    },
    clock::Clock,
    config::Config,
    domain::{Role, Scope, Timestamp},
    query::{
        self, Store,
        access::{Sight, TokenRow},
    },
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch token create grafana --role viewer
  scorewatch token create contoso-portal --role viewer --tenant contoso --expires 90d
  scorewatch token create gold-desk --role analyst --label tier=gold
  scorewatch token list
  scorewatch token revoke grafana

The token is printed once and kept nowhere. Send it as `Authorization: Bearer swt_…`.
Every given limit must hold: a token with --tenant and --label sees those of the tenants that have the label.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a token and print it, once
    Create(Create),
    /// List tokens: their roles, limits, expiry and last use
    List {
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token for good
    Revoke {
        /// The name of the token, as `token list` shows it
        name: String,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// A name by which you recognize it
    name: String,
    #[command(flatten)]
    permission: Permission,
    /// How long it is valid, like `90d`, or `never`
    #[arg(long, value_name = "DURATION", default_value = VALID_FOR)]
    expires: String,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// What a token or an account may do and see.
#[derive(Debug, clap::Args)]
pub(super) struct Permission {
    /// What it may do
    #[arg(long, value_enum, default_value = "viewer")]
    pub(super) role: RoleName,
    /// Only this tenant; may be repeated
    #[arg(long, value_name = "ID")]
    tenant: Vec<String>,
    /// Only tenants with this label, by the configuration in force; may be repeated, all must match
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,
}

impl Permission {
    pub(super) fn limits(&self) -> Written {
        Written { tenants: self.tenant.clone(), labels: self.label.clone() }
    }
}

/// A role on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RoleName {
    /// Reads, and changes nothing
    Viewer,
    /// Also acknowledges, silences, accepts, resends and asks for checks
    Analyst,
    /// Also unparks channels, starts drills, and manages tokens and accounts
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Analyst => Self::Analyst,
            RoleName::Admin => Self::Admin,
        }
    }
}

pub(super) async fn token(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let at_hand = readable(file)?;
    if matches!(arguments.action, Action::Create(_)) {
        at_hand.must_be_whole("a new token")?;
    }
    let config = at_hand.config;
    let store = query::open(&config).await?;
    let done = obey(&*store, &config, arguments.action).await;
    store.close().await;
    done
}

async fn obey(store: &dyn Store, config: &Config, action: Action) -> Result<(), Failure> {
    let now = Clock::System.now();
    match action {
        Action::Create(arguments) => create(store, config, arguments, now).await,
        Action::List { json } => list(&query::access::tokens(store, config, &Scope::All, now).await?, now, json),
        Action::Revoke { name, json } => {
            token::revoke(store, &caller::caller(), &name, now).await?;
            if json {
                return output::json(&json!({ "name": name, "revoked_at": now }));
            }
            output::say(&format!("token `{name}` is revoked"));
            Ok(())
        }
    }
}

async fn create(store: &dyn Store, config: &Config, arguments: Create, now: Timestamp) -> Result<(), Failure> {
    let draft = Draft {
        name: arguments.name.clone(),
        role: arguments.permission.role.into(),
        limits: arguments.permission.limits(),
        valid_for: arguments.expires.clone(),
    };
    let created = token::create(store, config, &caller::caller(), &draft, now).await?;
    let secret = created.secret.expose_secret();
    if arguments.json {
        return output::json(&json!({ "name": created.name, "token": secret, "expires_at": created.expires_at }));
    }
    let rows = query::access::tokens(store, config, &Scope::All, now).await?;
    let row = rows.into_iter().find(|row| row.name == created.name && row.state == "valid");
    // The token alone goes to standard output, so that a script can store it.
    output::complain(&format!(
        "token `{}`: {}, {}, {}. It is shown only now.",
        created.name,
        draft.role,
        row.map_or_else(String::new, |row| sight(&row.limits)),
        created.expires_at.map_or_else(|| "never expires".to_owned(), |at| format!("until {}", output::time(at))),
    ));
    output::say(secret);
    Ok(())
}

fn list(rows: &[TokenRow], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["NAME", "STATE", "ROLE", "LIMITED TO", "EXPIRES", "LAST USED", "CREATED", "BY"];
    let at = |at: Timestamp| output::ago(at, now);
    output::listing(rows, json, header, "no tokens", |row| {
        [
            row.name.clone(),
            row.state.to_owned(),
            row.role.to_string(),
            sight(&row.limits),
            row.expires_at.map_or_else(|| "never".to_owned(), at),
            output::or_dash(row.last_used_at.map(at)),
            at(row.created_at),
            row.created_by.clone(),
        ]
    })
}

/// The limits in a few words, and how many tenants they leave.
pub(super) fn sight(limits: &Sight) -> String {
    if limits.tenants.is_none() && limits.labels.is_none() {
        return "all tenants".to_owned();
    }
    let tenants = limits.tenants.iter().flatten().cloned();
    let labels = limits.labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let all: Vec<String> = tenants.chain(labels).collect();
    format!("{} ({})", all.join(" "), output::counted(limits.sees as u64, "tenant"))
}
