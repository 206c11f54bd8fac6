//! `scorewatch channels`: list, drill, unpark, public-key.

use std::path::Path;

use clap::Subcommand;

use super::{Failure, caller, output, readable};
use crate::{
    action::{
        channel,
        drill::{self, Queued},
    },
    clock::Clock,
    config::Config,
    domain::{Scope, Timestamp},
    query::{self, Store, channels::ChannelStatus},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch channels list               each channel's state and its queue
  scorewatch channels drill soc          send a drill now; a parked channel resumes if the drill arrives
  scorewatch channels unpark soc         resume its queue once its receiver is fixed
  scorewatch channels public-key soar    the key with which its receiver verifies ed25519 signatures")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List channels with their state and queue
    List {
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Send a drill now: a marked message that shows whether the channel works
    Drill {
        /// The channel's name in the configuration
        name: String,
    },
    /// Resume a parked channel
    Unpark {
        /// The channel's name in the configuration
        name: String,
    },
    /// Print the public keys of a webhook's ed25519 signing secrets, newest first
    PublicKey {
        /// The channel's name in the configuration
        name: String,
    },
}

pub(super) async fn channels(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let config = readable(file)?.config;
    if let Action::PublicKey { name } = &arguments.action {
        output::say(&query::channels::public_keys(&config, &Scope::All, name).await?.join("\n"));
        return Ok(());
    }
    let store = query::open(&config).await?;
    let done = obey(&*store, &config, arguments.action).await;
    store.close().await;
    done
}

async fn obey(store: &dyn Store, config: &Config, action: Action) -> Result<(), Failure> {
    let (scope, now) = (&Scope::All, Clock::System.now());
    match action {
        Action::List { json } => list(&query::channels::list(store, config, scope, now).await?, now, json)?,
        Action::Drill { name } => {
            let queued = drill::drill(store, config, &caller::caller(), &name, now).await?;
            say_drilled(&queued, query::system::is_running(store, now).await);
        }
        Action::Unpark { name } => {
            let channel = channel::unpark(store, config, &caller::caller(), &name, now).await?;
            let is_running = query::system::is_running(store, now).await;
            let then = output::by_service(is_running, "sends its queue");
            output::say(&format!("channel `{channel}` is resumed; {then}"));
        }
        Action::PublicKey { .. } => {}
    }
    Ok(())
}

fn list(channels: &[ChannelStatus], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["CHANNEL", "TYPE", "STATE", "WAITING", "OLDEST", "DEAD", "PROVEN", "DRILLED"];
    let at = |at: Timestamp| output::ago(at, now);
    output::listing(channels, json, header, "no channels", |channel| {
        [
            channel.name.to_string(),
            channel.r#type.to_owned(),
            state(channel, now),
            channel.waiting.to_string(),
            output::or_dash(channel.oldest_queued_at.map(at)),
            channel.dead.to_string(),
            output::or_dash(channel.proven_at.map(at)),
            output::or_dash(channel.drilled_at.map(at)),
        ]
    })
}

/// The state, since when or until when, and the reason.
fn state(channel: &ChannelStatus, now: Timestamp) -> String {
    let at = |at: Timestamp| output::ago(at, now);
    let because = |reason: &Option<String>| reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let state = match (channel.parked_since, channel.cooldown_until, channel.failing_since) {
        (Some(since), ..) => format!("parked since {}{}", output::time_ago(since, now), because(&channel.parked)),
        (None, Some(until), _) => format!("failing, next attempt {}{}", at(until), because(&channel.failing)),
        (None, None, Some(since)) => {
            format!("failing since {}{}", output::time_ago(since, now), because(&channel.failing))
        }
        (None, None, None) => channel.state.to_owned(),
    };
    if channel.unproven { format!("{state}; unproven") } else { state }
}

fn say_drilled(Queued { channel, is_parked, is_proven_by_people }: &Queued, is_running: bool) {
    let then = output::by_service(is_running, "sends it");
    output::say(&format!("a drill for channel `{channel}` is queued; {then}"));
    if *is_parked {
        output::say("the channel is parked; it resumes if the drill arrives");
    }
    if *is_proven_by_people {
        output::say("press the button in the drill when you see it, to confirm that the channel works");
    }
}
