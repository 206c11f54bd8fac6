//! `scorewatch channels`: list, drill, unpark, public-key.

use std::path::Path;

use clap::Subcommand;

use super::{Failure, configured, output};
use crate::{
    action::{
        channel,
        drill::{self, Queued},
    },
    clock::Clock,
    config::Config,
    domain::Scope,
    query::{self, Store, channels::ChannelStatus},
};

/// What to do with channels.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch channels list                how each channel fares, and what waits for it
  scorewatch channels drill soc-teams     send it a drill now; if it is parked and the drill arrives, it goes on
  scorewatch channels unpark soc-teams    after its receiver was mended: let its queue go on
  scorewatch channels public-key soar     what the receiver verifies our ed25519 signatures by")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List channels, how they fare, and what waits for them
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Send a drill now: a marked message that shows whether the channel works
    Drill {
        /// The channel's name
        name: String,
    },
    /// Let a parked channel's queue go on
    Unpark {
        /// The channel's name
        name: String,
    },
    /// Print the public keys of a webhook's ed25519 signing secrets, newest first
    PublicKey {
        /// The channel's name
        name: String,
    },
}

pub(super) async fn channels(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
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
        Action::List { json } => list(&query::channels::list(store, config, scope, now).await?, json)?,
        Action::Drill { name } => say_drilled(&drill::drill(store, config, scope, &name, now).await?),
        Action::Unpark { name } => {
            let channel = channel::unpark(store, config, scope, &name, now).await?;
            output::say(&format!("channel `{channel}` goes on; the running service sends its queue within seconds"));
        }
        Action::PublicKey { .. } => {}
    }
    Ok(())
}

fn list(channels: &[ChannelStatus], json: bool) -> Result<(), Failure> {
    let header = ["CHANNEL", "TYPE", "STATE", "WAITING", "OLDEST", "DEAD", "PROVEN", "DRILLED"];
    output::listing(channels, json, (header, "no channels"), |channel| {
        [
            channel.name.to_string(),
            channel.r#type.to_owned(),
            state(channel),
            channel.waiting.to_string(),
            output::or_dash(channel.oldest_queued_at),
            channel.dead.to_string(),
            output::or_dash(channel.proven_at),
            output::or_dash(channel.drilled_at),
        ]
    })
}

/// The state with its time and reason.
fn state(channel: &ChannelStatus) -> String {
    let because = |reason: &Option<String>| reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let state = match (channel.parked_since, channel.rests_until, channel.failing_since) {
        (Some(since), ..) => format!("parked since {since}{}", because(&channel.parked)),
        (None, Some(until), _) => format!("failing, next attempt at {until}{}", because(&channel.failing)),
        (None, None, Some(since)) => format!("failing since {since}{}", because(&channel.failing)),
        (None, None, None) => channel.state.to_owned(),
    };
    if channel.unproven { format!("{state}; unproven") } else { state }
}

fn say_drilled(Queued { channel, is_parked, is_proven_by_people }: &Queued) {
    output::say(&format!("a drill for channel `{channel}` is queued; the running service sends it within seconds"));
    if *is_parked {
        output::say("the channel is parked: if the drill arrives, the channel goes on");
    }
    if *is_proven_by_people {
        output::say("press its button where you see it: that proves the channel");
    }
}
