//! `scorewatch deliveries`: list, show, resend.

use std::path::Path;

use clap::Subcommand;

use super::{Failure, Readable, caller, output, readable};
use crate::{
    action::delivery,
    clock::Clock,
    domain::{Scope, Timestamp},
    notify::language::Locale,
    query::{
        self, Page, Store,
        deliveries::{Delivery, DeliveryDetail, DeliveryLine, Filter},
        ids,
    },
    schedule::Zone,
    template::in_lines,
};

/// `--limit 0` lists at most this many deliveries.
const LIMIT_MAX: u32 = 1000;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch deliveries list                            the newest hundred
  scorewatch deliveries list --state dead --json        dead letters, for scripts
  scorewatch deliveries show 42                         one delivery with its attempts
  scorewatch deliveries show 7Q4M2K                     by the id in the message
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
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Show one delivery with its message and attempts
    Show {
        /// The delivery's number, or the id of its message, or its first letters
        id: String,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Queue a finished, dead, held or suppressed delivery again; the notification keeps its id
    Resend {
        /// The delivery's number, or the id of its message, or its first letters; may be repeated
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

pub(super) async fn deliveries(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let at_hand = readable(file)?;
    let store = query::open(&at_hand.config).await?;
    let done = obey(&*store, &at_hand, arguments.action).await;
    store.close().await;
    done
}

async fn obey(store: &dyn Store, at_hand: &Readable, action: Action) -> Result<(), Failure> {
    let (scope, now) = (&Scope::All, Clock::System.now());
    match action {
        Action::List { state, channel, tenant, limit, json } => {
            let filter = Filter { states: state, channel, tenant };
            let page = Page::first(if limit == 0 { LIMIT_MAX } else { limit });
            let found = query::deliveries::list(store, scope, &filter, &page).await?.items;
            list(&query::deliveries::lines(store, scope, found).await?, now, json)
        }
        Action::Show { id, json } => {
            let id = ids::delivery(store, scope, &id).await?;
            let detail = query::deliveries::as_sent(store, &at_hand.config, scope, id).await?;
            if json {
                return output::json(&detail);
            }
            let covers = query::deliveries::lines(store, scope, detail.covers.clone()).await?;
            show(&detail, &covers, &at_hand.config.timezone, now)
        }
        Action::Resend { ids } => {
            let then = output::by_service(query::system::is_running(store, now).await, "sends it");
            for id in ids {
                let id = ids::delivery(store, scope, &id).await?;
                // Only a valid configuration can say that a channel is gone.
                delivery::resend(store, at_hand.whole(), &caller::caller(), id, now).await?;
                output::say(&format!("delivery {id} is queued again; {then}"));
            }
            Ok(())
        }
    }
}

/// The state, with the delivery that it was merged into.
fn state(row: &Delivery, now: Timestamp) -> String {
    let state = row.state.as_str();
    if let Some(hold) = row.hold {
        return format!("{state} ({}, {})", hold.why.as_str(), output::ago(hold.until, now));
    }
    row.merged_into.map_or_else(|| state.to_owned(), |merged_into| format!("{state} (with {merged_into})"))
}

fn list(rows: &[DeliveryLine], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["ID", "STATE", "CHANNEL", "MESSAGE", "WHAT WAS SENT", "ATTEMPTS", "QUEUED", "LAST ERROR"];
    output::listing(rows, json, header, "no deliveries", |DeliveryLine { delivery, headline, .. }| {
        [
            delivery.id.to_string(),
            state(delivery, now),
            delivery.channel.to_string(),
            delivery.notification.short().to_string(),
            headline.clone(),
            delivery.attempts.to_string(),
            output::ago(delivery.queued_at, now),
            output::or_dash(delivery.last_error.as_ref()),
        ]
    })
}

fn show(detail: &DeliveryDetail, covers: &[DeliveryLine], zone: &Zone, now: Timestamp) -> Result<(), Failure> {
    let line = DeliveryLine::new(detail.delivery.clone(), &detail.notification);
    list(std::slice::from_ref(&line), now, false)?;
    output::say("");
    let attempts = detail.attempts.iter().map(|attempt| {
        [
            attempt.number.to_string(),
            output::time_ago(attempt.started_at, now),
            output::or_dash(attempt.finished_at.map(output::time)),
            attempt.outcome.clone().unwrap_or_else(|| "unknown: the service stopped during the attempt".to_owned()),
            output::or_dash(attempt.error.as_ref()),
        ]
    });
    output::say(&output::table(["ATTEMPT", "BEGUN", "ENDED", "OUTCOME", "ERROR"], attempts));
    if !covers.is_empty() {
        output::say("\nIt covers:");
        list(covers, now, false)?;
    }
    let DeliveryDetail { notification, .. } = detail;
    output::say(&format!("\nmessage ({}; `--json` has its values):", notification.kind.as_str()));
    let locale = Locale { zone: zone.clone(), ..Locale::default() };
    for line in in_lines(notification, &locale) {
        output::say(&format!("  {}", output::visible(&line)));
    }
    Ok(())
}
