//! Which receivers channels share. Loading a configuration reads no secret, so it compares only what is written in the open;
//! all others are compared here before a message leaves.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream};

use super::fetch;
use crate::{
    channel::{ChannelSettings, Verdict, address::Address},
    config::Config,
    domain::ChannelName,
    secret::SecretReference,
};

/// How long the first message after a start or reload waits until the addresses of all channels are known.
const LEARNING_MAX: Duration = Duration::from_secs(5);
/// Channels whose secrets are read at the same time.
const READS_AT_ONCE: usize = 32;

/// The receivers of all channels, as far as they are known. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    /// The configuration whose channels were all asked for theirs.
    learned: Arc<tokio::sync::Mutex<Option<Arc<Config>>>>,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    of_channel: HashMap<ChannelName, BTreeSet<Address>>,
    by_place: HashMap<u128, BTreeSet<ChannelName>>,
}

impl Addresses {
    /// Another channel whose messages arrive at the same receiver although it has another audience. The channel's own secrets
    /// have been fetched.
    pub(super) async fn shared_with(&self, config: &Arc<Config>, settings: &ChannelSettings) -> Option<ChannelName> {
        if config.channels.values().all(|other| other.audience == settings.audience) {
            return None;
        }
        self.learn(config).await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.note(settings);
        known.other(config, settings)
    }

    /// Asks every channel once for its address, so that the first message is compared with all of them.
    async fn learn(&self, config: &Arc<Config>) {
        let mut learned = self.learned.lock().await;
        if learned.as_ref().is_some_and(|known| Arc::ptr_eq(known, config)) {
            return;
        }
        let all: Vec<Arc<ChannelSettings>> = config.channels.values().cloned().collect();
        let known = &self.known;
        let fetched = stream::iter(all).for_each_concurrent(READS_AT_ONCE, |settings| async move {
            fetch::fetch(&settings).await;
            known.lock().unwrap_or_else(PoisonError::into_inner).note(&settings);
        });
        // What is not known by then is compared when it is, before its own channel sends.
        let _ = tokio::time::timeout(LEARNING_MAX, fetched).await;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).keep(config);
        *learned = Some(Arc::clone(config));
    }
}

impl Known {
    /// Notes where a channel's messages arrive; what can't be read is left as it was.
    fn note(&mut self, settings: &ChannelSettings) {
        let Ok(addresses) = settings.kind.addresses(&SecretReference::resolve) else { return };
        if self.of_channel.get(&settings.name) == Some(&addresses) {
            return;
        }
        self.forget(&settings.name);
        for address in &addresses {
            self.by_place.entry(address.place()).or_default().insert(settings.name.clone());
        }
        self.of_channel.insert(settings.name.clone(), addresses);
    }

    fn forget(&mut self, channel: &ChannelName) {
        for address in self.of_channel.remove(channel).into_iter().flatten() {
            if let Some(there) = self.by_place.get_mut(&address.place()) {
                there.remove(channel);
                if there.is_empty() {
                    self.by_place.remove(&address.place());
                }
            }
        }
    }

    /// Forgets channels that are no longer configured.
    fn keep(&mut self, config: &Config) {
        let gone: Vec<_> =
            self.of_channel.keys().filter(|name| !config.channels.contains_key(*name)).cloned().collect();
        for name in &gone {
            self.forget(name);
        }
    }

    fn other(&self, config: &Config, settings: &ChannelSettings) -> Option<ChannelName> {
        let own = self.of_channel.get(&settings.name)?;
        let there = own.iter().filter_map(|address| self.by_place.get(&address.place())).flatten();
        let differs = |name: &&ChannelName| {
            let is_other = config.channels.get(*name).is_some_and(|other| other.audience != settings.audience);
            is_other && self.of_channel.get(*name).is_some_and(|theirs| Address::any_shared(own, theirs))
        };
        there.into_iter().find(differs).cloned()
    }
}

/// What it means for a message that another audience reads where it would arrive.
pub(super) fn refused(other: &ChannelName) -> Verdict {
    let reason =
        format!("channel `{other}` sends to the same receiver, and its audience is another; give each its own");
    Verdict::Parked { reason }
}
