//! `scorewatch channels`: list, drill, unpark, public-key.

use std::{path::Path, sync::Arc};

use clap::Subcommand;
use serde::Serialize;

use super::{Failure, beside, channel, configured, output, wrong_input};
use crate::{
    channel::{ChannelKind, ChannelSettings, signature::SigningKey},
    clock::Clock,
    config::Config,
    delivery,
    domain::{ChannelName, Timestamp},
    notify::DeliveryState,
    service,
    store::{ChannelRecord, Store, Totals},
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

#[derive(Debug, Serialize)]
struct Line {
    name: ChannelName,
    r#type: &'static str,
    /// `ok`, `failing`, `resting` (its breaker is open) or `parked`.
    state: &'static str,
    waiting: u64,
    dead: u64,
    oldest_queued_at: Option<Timestamp>,
    parked: Option<String>,
    parked_since: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    /// Why its last failed attempt failed, while it fails.
    failing: Option<String>,
    /// When its open breaker lets the next attempt through.
    rests_until: Option<Timestamp>,
    proven_at: Option<Timestamp>,
    /// None, too, while its first drill is still to come.
    drilled_at: Option<Timestamp>,
    /// Whether it has not been proven for so long that the operator is told.
    unproven: bool,
}

impl Line {
    fn new(settings: &ChannelSettings, known: Option<&ChannelRecord>, totals: &Totals, now: Timestamp) -> Self {
        let name = &settings.name;
        let count = |wanted: fn(DeliveryState) -> bool| {
            let of = totals.deliveries.iter().filter(|(channel, state, _)| channel == name && wanted(*state));
            of.map(|(_, _, count)| count).sum()
        };
        let parked = known.and_then(|known| known.parked.as_ref());
        let standing = known.map(|known| known.standing).unwrap_or_default();
        let rests_until = standing.is_open().then_some(standing.rest_until).filter(|until| *until > now);
        let drilled_at = known.and_then(|known| known.drilled_at);
        Self {
            name: name.clone(),
            r#type: settings.kind.as_str(),
            state: match (parked, rests_until, standing.failing_since) {
                (Some(_), ..) => "parked",
                (None, Some(_), _) => "resting",
                (None, None, Some(_)) => "failing",
                (None, None, None) => "ok",
            },
            waiting: count(|state| !state.is_finished()),
            dead: count(|state| state == DeliveryState::Dead),
            oldest_queued_at: totals.oldest_queued_at.iter().find(|(channel, _)| channel == name).map(|(_, at)| *at),
            parked: parked.map(|parked| parked.reason.clone()),
            parked_since: parked.map(|parked| parked.since),
            failing_since: standing.failing_since,
            failing: standing.failing_since.and_then(|_| known?.last_error.clone()),
            rests_until,
            proven_at: standing.proven_at,
            drilled_at: drilled_at.filter(|at| known.is_some_and(|known| known.seen_at != Some(*at))),
            unproven: settings
                .drill
                .zip(known)
                .is_some_and(|(interval, known)| known.proof().missing_since(interval, now).is_some()),
        }
    }

    /// The state with its time and reason.
    fn state(&self) -> String {
        let because = |reason: &Option<String>| reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let state = match (self.parked_since, self.rests_until, self.failing_since) {
            (Some(since), ..) => format!("parked since {since}{}", because(&self.parked)),
            (None, Some(until), _) => format!("failing, next attempt at {until}{}", because(&self.failing)),
            (None, None, Some(since)) => format!("failing since {since}{}", because(&self.failing)),
            (None, None, None) => self.state.to_owned(),
        };
        if self.unproven { format!("{state}; unproven") } else { state }
    }
}

pub(super) async fn channels(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    if let Action::PublicKey { name } = &arguments.action {
        return public_key(&config, name).await;
    }
    let store = beside(&config).await?;
    let done = match arguments.action {
        Action::List { json } => list(&store, &config, json).await,
        Action::Drill { name } => drill(&store, &config, &name).await,
        Action::Unpark { name } => unpark(&store, &name).await,
        Action::PublicKey { .. } => Ok(()),
    };
    store.close().await;
    done
}

async fn list(store: &dyn Store, config: &Config, json: bool) -> Result<(), Failure> {
    let (totals, known) = (store.totals().await?, store.channels().await?);
    let now = Clock::System.now();
    let line = |settings: &Arc<ChannelSettings>| {
        Line::new(settings, known.iter().find(|known| known.channel == settings.name), &totals, now)
    };
    let lines: Vec<Line> = config.channels.values().map(line).collect();
    let header = ["CHANNEL", "TYPE", "STATE", "WAITING", "OLDEST", "DEAD", "PROVEN", "DRILLED"];
    output::listing(&lines, json, (header, "no channels"), |line| {
        [
            line.name.to_string(),
            line.r#type.to_owned(),
            line.state(),
            line.waiting.to_string(),
            output::or_dash(line.oldest_queued_at),
            line.dead.to_string(),
            output::or_dash(line.proven_at),
            output::or_dash(line.drilled_at),
        ]
    })
}

async fn drill(store: &dyn Store, config: &Config, name: &str) -> Result<(), Failure> {
    let settings = channel(config, name)?;
    let (channel, now) = (&settings.name, Clock::System.now());
    service::drill::queue(store, config, channel, now, now).await?;
    let is_parked = store.channels().await?.iter().any(|known| known.channel == *channel && known.parked.is_some());
    output::say(&format!("a drill for channel `{channel}` is queued; the running service sends it within seconds"));
    if is_parked {
        output::say("the channel is parked: if the drill arrives, the channel goes on");
    }
    if config.is_proven_by_people(settings) {
        output::say("press its button where you see it: that proves the channel");
    }
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

async fn public_key(config: &Config, name: &str) -> Result<(), Failure> {
    let settings = channel(config, name)?;
    delivery::secrets::fetch(settings).await;
    let ChannelKind::Webhook { signing_secrets, .. } = &settings.kind else {
        return Err(wrong_input(format!("channel `{name}` is no `webhook`, and only those are signed")));
    };
    let keys = signing_secrets.iter().map(SigningKey::resolve).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(|error| Failure::Run(Some(error.into())))?;
    let keys: Vec<String> = keys.iter().filter_map(SigningKey::public_key).collect();
    if keys.is_empty() {
        return Err(wrong_input(format!("channel `{name}` has no `whsk_` secret; a `whsec_` has no public key")));
    }
    output::say(&keys.join("\n"));
    Ok(())
}
