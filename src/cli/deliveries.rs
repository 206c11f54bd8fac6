//! `scorewatch deliveries`: list, show, resend.

use std::path::Path;

use clap::Subcommand;

use super::{Failure, configured, output};
use crate::{
    action::delivery,
    clock::Clock,
    domain::Scope,
    query::{
        self, Page, Store,
        deliveries::{Delivery, DeliveryDetail, DeliveryId, Filter},
    },
};

/// `--limit 0` lists at most this many deliveries.
const LIMIT_MAX: u32 = 1000;

/// Arguments of `deliveries`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch deliveries list                            the newest hundred
  scorewatch deliveries list --state dead --json        dead letters, for scripts
  scorewatch deliveries show 42                         one delivery with its attempts
  scorewatch deliveries resend 42                       queue it again, with the same id")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List deliveries, newest first
    List {
        /// Only deliveries in this state: queued, sending, merged, delivered, dead, parked, held, suppressed; may be
        /// repeated
        #[arg(long, value_name = "STATE")]
        state: Vec<String>,
        /// Only deliveries to this channel
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// Only deliveries about this tenant
        #[arg(long, value_name = "ID")]
        tenant: Option<String>,
        /// List at most this many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one delivery with its message and attempts
    Show {
        /// The delivery's number
        id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Queue a finished, dead, held or suppressed delivery again; the notification keeps its id
    Resend {
        /// The delivery's number; may be repeated
        #[arg(required = true)]
        ids: Vec<i64>,
    },
}

pub(super) async fn deliveries(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let store = query::open(&config).await?;
    let done = obey(&*store, arguments.action).await;
    store.close().await;
    done
}

async fn obey(store: &dyn Store, action: Action) -> Result<(), Failure> {
    let scope = &Scope::All;
    match action {
        Action::List { state, channel, tenant, limit, json } => {
            let filter = Filter { states: state, channel, tenant };
            let page = Page::first(if limit == 0 { LIMIT_MAX } else { limit });
            list(&query::deliveries::list(store, scope, &filter, &page).await?.items, json)
        }
        Action::Show { id, json } => show(&query::deliveries::show(store, scope, DeliveryId(id)).await?, json),
        Action::Resend { ids } => {
            for id in ids {
                delivery::resend(store, scope, DeliveryId(id), Clock::System.now()).await?;
                output::say(&format!("delivery {id} is queued again; the running service sends it within seconds"));
            }
            Ok(())
        }
    }
}

/// The state, with the delivery that it was merged into.
fn state(row: &Delivery) -> String {
    let state = row.state.as_str();
    if let Some(hold) = row.hold {
        return format!("{state} ({}, until {})", hold.why.as_str(), hold.until);
    }
    row.merged_into.map_or_else(|| state.to_owned(), |merged_into| format!("{state} (with {merged_into})"))
}

fn list(rows: &[Delivery], json: bool) -> Result<(), Failure> {
    let header = ["ID", "STATE", "CHANNEL", "MESSAGE", "TENANT", "ATTEMPTS", "QUEUED", "LAST ERROR"];
    output::listing(rows, json, header, "no deliveries", |row| {
        [
            row.id.to_string(),
            state(row),
            row.channel.to_string(),
            row.notification.short().to_string(),
            output::or_dash(row.tenant.as_ref()),
            row.attempts.to_string(),
            row.queued_at.to_string(),
            output::or_dash(row.last_error.as_ref()),
        ]
    })
}

fn show(detail: &DeliveryDetail, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(detail);
    }
    list(std::slice::from_ref(&detail.delivery), false)?;
    output::say("");
    let attempts = detail.attempts.iter().map(|attempt| {
        [
            attempt.number.to_string(),
            attempt.started_at.to_string(),
            output::or_dash(attempt.finished_at),
            attempt.outcome.clone().unwrap_or_else(|| "unknown: the service stopped during the attempt".to_owned()),
            output::or_dash(attempt.error.as_ref()),
        ]
    });
    output::say(&output::table(["ATTEMPT", "BEGUN", "ENDED", "OUTCOME", "ERROR"], attempts));
    if !detail.covers.is_empty() {
        output::say("\nIt covers:");
        list(&detail.covers, false)?;
    }
    output::say("\nmessage:");
    output::json(&detail.notification)
}
