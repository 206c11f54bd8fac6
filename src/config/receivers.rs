//! Refuses channels whose messages arrive at one receiver although their audiences differ: whoever reads there would see what the
//! other channel may show.
//!
//! Loading compares what can be known without reading any secret: what is written in the files, what the environment holds, and
//! which channels refer to one secret. [`super::Loaded::with_secrets_tried`] also compares what this machine keeps; what a store
//! keeps is compared before the first message is sent (`delivery/addresses.rs`).

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, stream};

use super::{Channels, Config, scope::Scope};
use crate::{
    channel::{ChannelSettings, address::Receivers},
    diagnostic::{Place, Problem, Warning},
    domain::ChannelName,
    secret::{SecretError, SecretReference, SecretString},
};

/// What to do about it; a place follows.
const INSTEAD: &str =
    "give each channel a receiver of its own, or both the same `tenants:` and `labels:`; the other is at";
/// Addresses that are read at one time.
const READ_MAX: usize = 64;

/// A channel, and where the configuration says where its messages arrive.
#[derive(Debug, Clone)]
pub struct PlacedChannel {
    settings: Arc<ChannelSettings>,
    place: Place,
    /// The path of the key.
    key: String,
}

/// The channels below this key.
pub(super) fn placed(at: &Scope<'_>, channels: &Channels) -> Vec<PlacedChannel> {
    let place = |settings: &Arc<ChannelSettings>| {
        let channel = at.key(settings.name.as_str());
        let here = channel.key(settings.kind.address_key());
        PlacedChannel { settings: Arc::clone(settings), place: here.place(), key: here.path() }
    };
    channels.values().map(place).collect()
}

/// What is wrong as far as it can be known without reading a secret.
pub(super) fn problems_in_the_open(channels: &[PlacedChannel]) -> Vec<Problem> {
    problems(channels, read_in_the_open)
}

/// What is wrong with these channels; each is compared with those before it.
fn problems(
    channels: &[PlacedChannel],
    read: fn(&SecretReference) -> Result<SecretString, SecretError>,
) -> Vec<Problem> {
    let receivers = Receivers::of(channels.iter().map(|channel| &*channel.settings), &read);
    let problem = |PlacedChannel { settings, place, key }: &PlacedChannel| {
        let before = |other: &&ChannelSettings| other.name < settings.name;
        let other = receivers.of_other_audiences(settings).find(before)?;
        let there = &channels.iter().find(|channel| channel.settings.name == other.name)?.place;
        let instead = format!("{INSTEAD} {there}");
        Some(Problem::error(place.clone(), key.clone(), shared_words(settings, other), instead))
    };
    channels.iter().filter_map(problem).collect()
}

/// Whether two channels send to one receiver, as far as it can be known without reading a secret.
pub(super) fn is_one_receiver(channels: &Channels, one: &ChannelName, other: &ChannelName) -> bool {
    let (Some(one), Some(other)) = (channels.get(one), channels.get(other)) else { return one == other };
    Receivers::of([&**one, &**other], &read_in_the_open).are_one(one, other)
}

/// All of the operator's channels, and where they are named.
#[derive(Debug, Clone)]
pub(super) struct Operators {
    pub(super) place: Place,
    /// The path of the key.
    pub(super) key: String,
    pub(super) channels: Vec<Arc<ChannelSettings>>,
}

impl Operators {
    /// That they are one receiver, by what this machine keeps of their addresses.
    pub(super) fn problem_on_this_machine(&self) -> Option<Problem> {
        let [first, others @ ..] = self.channels.as_slice() else { return None };
        let receivers = Receivers::of(self.channels.iter().map(AsRef::as_ref), &SecretReference::resolve);
        let is_one = !others.is_empty() && others.iter().all(|other| receivers.are_one(first, other));
        is_one.then(|| self.problem())
    }

    /// That they are one receiver.
    pub(super) fn problem(&self) -> Problem {
        let names: Vec<_> = self.channels.iter().map(|channel| &channel.name).collect();
        let what = match names.as_slice() {
            [first, .., last] => {
                format!("channels `{first}` and `{last}` send to one receiver, which can't report its own failure")
            }
            only => {
                let only = only.first().map(ToString::to_string).unwrap_or_default();
                format!("channel `{only}` is the operator's only one, and can't report its own failure")
            }
        };
        let instead = "name a second channel, best of another service";
        Problem::warning(Warning::OperatorHasOneChannel, self.place.clone(), self.key.clone(), what, instead)
    }
}

fn shared_words(channel: &ChannelSettings, other: &ChannelSettings) -> String {
    format!(
        "channel `{}` sends to the same receiver as channel `{}`, and their audiences differ",
        channel.name, other.name
    )
}

fn read_in_the_open(reference: &SecretReference) -> Result<SecretString, SecretError> {
    match reference {
        SecretReference::Env(_) => reference.resolve(),
        _ => Err(reference.unfit("is not read while the configuration loads")),
    }
}

/// The same with what this machine keeps, apart from `known` problems. What a store keeps is not asked for.
pub(super) async fn problems_on_this_machine(channels: Arc<[PlacedChannel]>, known: &[Problem]) -> Vec<Problem> {
    // The caller has tried every secret, so a disk that hangs is known by now and nothing here waits for it.
    let compare = move || problems(&channels, SecretReference::resolve);
    let mut found = tokio::task::spawn_blocking(compare).await.unwrap_or_default();
    let is_same = |one: &Problem, other: &Problem| {
        (&one.place, &one.key) == (&other.place, &other.key) && other.instead.starts_with(INSTEAD)
    };
    found.retain(|problem| !known.iter().any(|known| is_same(problem, known)));
    found
}

impl Config {
    /// The channels that send to a receiver that another audience reads, each with what is wrong, wherever their addresses are
    /// kept: every secret that holds one is asked for. One that can't be had is compared with nothing.
    pub async fn shared_receivers(&self) -> BTreeMap<ChannelName, String> {
        let channels = || self.channels.values().map(AsRef::as_ref);
        let audiences = || channels().map(|channel: &ChannelSettings| &channel.audience);
        if audiences().zip(audiences().skip(1)).all(|(one, next)| one == next) {
            return BTreeMap::new();
        }
        let addresses: Vec<_> = channels().filter_map(|channel| channel.kind.address_reference()).collect();
        stream::iter(addresses).for_each_concurrent(READ_MAX, SecretReference::fetch).await;
        let receivers = Receivers::of(channels(), &SecretReference::resolve);
        let shared = |channel: &ChannelSettings| {
            let other = receivers.of_other_audiences(channel).next()?;
            Some((channel.name.clone(), shared_words(channel, other)))
        };
        channels().filter_map(shared).collect()
    }
}
