//! `scorewatch channels`: list, unpark.

use std::path::Path;

use clap::Subcommand;
use serde::Serialize;

use super::{Failure, beside, configured, output, wrong_input};
use crate::{
    clock::Clock,
    config::Config,
    domain::{ChannelName, Timestamp},
    notify::DeliveryState,
    store::Store,
};

/// What to do with channels.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch channels list                what waits for each channel
  scorewatch channels unpark soc-teams    after its receiver was mended: let its queue go on")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List channels and what waits for them
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a parked channel's queue go on
    Unpark {
        /// The channel's name
        name: String,
    },
}

#[derive(Debug, Serialize)]
struct Line {
    name: ChannelName,
    r#type: &'static str,
    waiting: u64,
    dead: u64,
    oldest_queued_at: Option<Timestamp>,
    parked: Option<String>,
    parked_since: Option<Timestamp>,
}

pub(super) async fn channels(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let store = beside(&config).await?;
    let done = match arguments.action {
        Action::List { json } => list(&store, &config, json).await,
        Action::Unpark { name } => unpark(&store, &name).await,
    };
    store.close().await;
    done
}

async fn list(store: &dyn Store, config: &Config, json: bool) -> Result<(), Failure> {
    let (totals, known) = (store.totals().await?, store.channels().await?);
    let lines: Vec<Line> = config
        .channels
        .values()
        .map(|settings| {
            let name = &settings.name;
            let count = |wanted: fn(DeliveryState) -> bool| {
                let of = totals.deliveries.iter().filter(|(channel, state, _)| channel == name && wanted(*state));
                of.map(|(_, _, count)| count).sum()
            };
            let known = known.iter().find(|known| known.channel == *name);
            let parked = known.and_then(|known| known.parked.as_ref());
            Line {
                name: name.clone(),
                r#type: settings.kind.as_str(),
                waiting: count(|state| !matches!(state, DeliveryState::Delivered | DeliveryState::Dead)),
                dead: count(|state| state == DeliveryState::Dead),
                oldest_queued_at: totals
                    .oldest_queued_at
                    .iter()
                    .find(|(channel, _)| channel == name)
                    .map(|(_, at)| *at),
                parked: parked.map(|parked| parked.reason.clone()),
                parked_since: parked.map(|parked| parked.since),
            }
        })
        .collect();
    if json {
        return output::json(&lines);
    }
    let rows = lines.iter().map(|line| {
        [
            line.name.to_string(),
            line.r#type.to_owned(),
            line.waiting.to_string(),
            output::or_dash(line.oldest_queued_at),
            line.dead.to_string(),
            line.parked.as_ref().map_or_else(|| "-".to_owned(), |reason| format!("parked: {reason}")),
        ]
    });
    output::say(&output::table(["CHANNEL", "TYPE", "WAITING", "OLDEST", "DEAD", "TROUBLE"], rows));
    Ok(())
}

async fn unpark(store: &dyn Store, name: &str) -> Result<(), Failure> {
    let channel = ChannelName::parse(name).map_err(|error| wrong_input(format!("`{name}`: {error}")))?;
    if !store.unpark(&channel, Clock::System.now()).await? {
        return Err(wrong_input(format!("channel `{channel}` is not parked")));
    }
    output::say(&format!("channel `{channel}` goes on; the running service sends its queue within seconds"));
    Ok(())
}
