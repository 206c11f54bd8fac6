//! `scorewatch deliveries`: list, show, resend.

use std::path::Path;

use clap::Subcommand;

use super::{Failure, beside, configured, output, wrong_input};
use crate::{
    clock::Clock,
    domain::{ChannelName, TenantId},
    notify::{Delivery, DeliveryId, DeliveryState},
    store::{DeliveryDetail, DeliveryFilter, Store},
};

/// What to do with deliveries.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch deliveries list                            the newest hundred
  scorewatch deliveries list --state dead --json        dead letters, for scripts
  scorewatch deliveries show 42                         one with its attempts
  scorewatch deliveries resend 42                       queue it again, with the same id")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List deliveries, newest first
    List {
        /// Only in this state: queued, sending, merged, delivered, dead, parked, held, suppressed; may be repeated
        #[arg(long, value_name = "STATE")]
        state: Vec<String>,
        /// Only to this channel
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// Only about this tenant
        #[arg(long, value_name = "ID")]
        tenant: Option<String>,
        /// At most that many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one delivery with what it says and its attempts
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
    let store = beside(&config).await?;
    let done = match arguments.action {
        Action::List { state, channel, tenant, limit, json } => {
            let filter = DeliveryFilter {
                states: state.iter().map(|name| parse_state(name)).collect::<Result<_, _>>()?,
                channel: channel.map(|name| parse(&name, ChannelName::parse)).transpose()?,
                tenant: tenant.map(|id| parse(&id, TenantId::parse)).transpose()?,
                limit,
            };
            list(&store.deliveries(&filter).await?, json)
        }
        Action::Show { id, json } => match store.delivery(DeliveryId(id)).await? {
            Some(detail) => show(&detail, json),
            None => Err(no_such(id)),
        },
        Action::Resend { ids } => resend(&store, &ids).await,
    };
    store.close().await;
    done
}

fn parse<T, E: std::fmt::Display>(text: &str, parser: impl Fn(&str) -> Result<T, E>) -> Result<T, Failure> {
    parser(text).map_err(|error| wrong_input(format!("`{text}`: {error}")))
}

fn parse_state(name: &str) -> Result<DeliveryState, Failure> {
    DeliveryState::from_name(name).ok_or_else(|| {
        let known = DeliveryState::ALL.map(DeliveryState::as_str).join(", ");
        wrong_input(format!("there is no state `{name}`; use one of {known}"))
    })
}

fn no_such(id: i64) -> Failure {
    wrong_input(format!("there is no delivery {id}; `scorewatch deliveries list` shows them"))
}

async fn resend(store: &dyn Store, ids: &[i64]) -> Result<(), Failure> {
    for &id in ids {
        if !store.resend(DeliveryId(id), Clock::System.now()).await? {
            let known = store.delivery(DeliveryId(id)).await?.map(|detail| detail.delivery.state);
            return Err(known.map_or_else(
                || no_such(id),
                |state| wrong_input(format!("delivery {id} is on its way already ({})", state.as_str())),
            ));
        }
        output::say(&format!("delivery {id} is queued again; the running service sends it within seconds"));
    }
    Ok(())
}

/// The state, with the delivery that it goes along with, or went.
fn state(row: &Delivery) -> String {
    let state = row.state.as_str();
    if let Some(hold) = row.hold {
        return format!("{state} ({}, until {})", hold.why.as_str(), hold.until);
    }
    row.carrier.map_or_else(|| state.to_owned(), |carrier| format!("{state} (with {carrier})"))
}

fn list(rows: &[Delivery], json: bool) -> Result<(), Failure> {
    let header = ["ID", "STATE", "CHANNEL", "MESSAGE", "TENANT", "ATTEMPTS", "QUEUED", "LAST ERROR"];
    output::listing(rows, json, (header, "no deliveries"), |row| {
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
            attempt.outcome.clone().unwrap_or_else(|| "unknown: the service stopped in between".to_owned()),
            output::or_dash(attempt.error.as_ref()),
        ]
    });
    output::say(&output::table(["ATTEMPT", "BEGUN", "ENDED", "OUTCOME", "ERROR"], attempts));
    if !detail.covers.is_empty() {
        output::say("\nIt covers:");
        list(&detail.covers, false)?;
    }
    output::say("\nwhat it says:");
    output::json(&detail.notification)
}
