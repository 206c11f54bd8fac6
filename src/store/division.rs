//! Which part of the fleet this process works on.
//!
//! Tenants and channels are spread over a fixed number of shards. Each shard has one owner at a time, a *replica*: a running service. In a
//! store that only one process may have, that process owns every shard, and nothing of this costs anything. In a database that several
//! share, a keeper (`postgres/keeper.rs`) renews the replica's lease and moves shards between replicas; everybody else asks here.
//!
//! Whoever works on a tenant, a channel or the fleet holds a [`Tenure`] of its shard meanwhile. A living replica gives a shard up only
//! when nobody holds one, so what is under way is finished by whoever began it. A replica that was not heard of loses all its shards in the
//! transaction that removes its row; from then on its writes are refused. It stops working some time before, by its monotonic clock.

#[cfg(test)]
mod tests;
mod timing;
mod wish;

use std::{
    collections::BTreeSet,
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

pub(super) use self::{
    timing::Timing,
    wish::{Wish, wish},
};
use crate::domain::{ChannelName, EntraTenantId};

/// How many shards there are: enough for dozens of replicas to have about the same number of them.
pub const SHARDS: u16 = 64;

/// A share of the tenants and of the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u16);

impl Shard {
    /// The shard whose owner does what is done once for the whole fleet: the lead.
    pub const LEAD: Self = Self(0);

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SHARDS).map(Self)
    }

    /// The shard of that number; `None`: there is none.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        u16::try_from(number).ok().filter(|number| *number < SHARDS).map(Self)
    }

    /// Its number, from 0.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The shard of a tenant, whatever its slug is.
    #[must_use]
    pub fn of_tenant(tenant: EntraTenantId) -> Self {
        Self::of(tenant.0.as_bytes())
    }

    /// The shard of a channel.
    #[must_use]
    pub fn of_channel(channel: &ChannelName) -> Self {
        Self::of(channel.as_str().as_bytes())
    }

    /// FNV-1a, folded: the same in every version, as replicas of two versions may share a store.
    fn of(bytes: &[u8]) -> Self {
        let hash = bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        let folded = (hash >> 32) ^ hash;
        #[expect(clippy::cast_possible_truncation, reason = "what is left of it is smaller than a shard's number")]
        let number = (folded % u64::from(SHARDS)) as u16;
        Self(number)
    }

    const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which shards this process owns. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Division(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// Counts the changes of what is owned and of what is known of the others.
    revision: watch::Sender<u64>,
    /// Wakes the keeper: there is something to give up.
    nudge: Notify,
}

#[derive(Debug)]
struct State {
    shards: Vec<Held>,
    /// Until when the lease is good, on the monotonic clock.
    valid_until: Instant,
    /// How many replicas live, this one included.
    living: u32,
    /// Whether all of them run the same configuration.
    agrees: bool,
    /// This replica's configuration.
    fingerprint: String,
    is_leaving: bool,
    has_left: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Held {
    is_owned: bool,
    /// It is given up as soon as nobody works on it.
    is_leaving: bool,
    tenures: u32,
}

/// The right to work on a shard. The shard is not given up while this lives.
#[derive(Debug)]
pub struct Tenure(Option<(Arc<Inner>, Shard)>);

impl Drop for Tenure {
    fn drop(&mut self) {
        let Some((inner, shard)) = &self.0 else { return };
        let mut state = inner.state();
        let held = &mut state.shards[shard.index()];
        held.tenures = held.tenures.saturating_sub(1);
        let is_free_to_go = held.is_leaving && held.tenures == 0;
        drop(state);
        if is_free_to_go {
            inner.nudge.notify_one();
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }
}

impl Division {
    /// The one process that a store has: it owns everything.
    #[must_use]
    pub const fn whole() -> Self {
        Self(None)
    }

    /// One of several replicas, which owns nothing yet.
    pub(super) fn shared(fingerprint: String) -> Self {
        let state = State {
            shards: vec![Held::default(); SHARDS.into()],
            valid_until: Instant::now(),
            living: 1,
            agrees: false,
            fingerprint,
            is_leaving: false,
            has_left: false,
        };
        let (state, revision, nudge) = (Mutex::new(state), watch::Sender::new(0), Notify::new());
        Self(Some(Arc::new(Inner { state, revision, nudge })))
    }

    /// Whether there may be other replicas.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    /// Begins to work on a shard. `None`: another replica owns it, it is about to be given up, or the lease has run out.
    #[must_use]
    pub fn begin(&self, shard: Shard) -> Option<Tenure> {
        let Some(inner) = &self.0 else { return Some(Tenure(None)) };
        let mut state = inner.state();
        let is_valid = Instant::now() < state.valid_until;
        let held = &mut state.shards[shard.index()];
        if !is_valid || !held.is_owned || held.is_leaving {
            return None;
        }
        held.tenures += 1;
        drop(state);
        Some(Tenure(Some((inner.clone(), shard))))
    }

    /// Whether this process owns the shard and is to keep it, whether or not its lease is good at the moment.
    #[must_use]
    pub fn owns(&self, shard: Shard) -> bool {
        self.0.as_ref().is_none_or(|inner| {
            let held = inner.state().shards[shard.index()];
            held.is_owned && !held.is_leaving
        })
    }

    /// Whether this process does what is done once for the whole fleet.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.owns(Shard::LEAD)
    }

    /// Whether every replica that lives runs the same configuration. Until then, nothing is ended or moved because a configuration lacks
    /// it.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.state().agrees)
    }

    /// How many replicas live, at least one.
    #[must_use]
    pub fn living(&self) -> u32 {
        self.0.as_ref().map_or(1, |inner| inner.state().living.max(1))
    }

    /// How many shards this process owns.
    #[must_use]
    pub fn owned(&self) -> usize {
        self.0.as_ref().map_or(SHARDS.into(), |inner| inner.state().shards.iter().filter(|held| held.is_owned).count())
    }

    /// Whether the lease is good at this moment: nobody else works on what this process owns.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| Instant::now() < inner.state().valid_until)
    }

    /// Waits until the lease has run out. It looks at the clock whenever it is polled, as the process may have been stopped meanwhile.
    pub async fn lost(&self) {
        let Some(inner) = &self.0 else { return pending().await };
        let mut sleep = pin!(sleep_until(inner.state().valid_until));
        poll_fn(|context| {
            loop {
                let until = inner.state().valid_until;
                if Instant::now() >= until {
                    return Poll::Ready(());
                }
                if sleep.deadline() != until {
                    sleep.as_mut().reset(until);
                }
                if sleep.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await;
    }

    /// How often what is owned, or what is known of the other replicas, has changed.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| *inner.revision.borrow())
    }

    /// Notes the configuration that is in force from now on.
    pub fn configured(&self, fingerprint: String) {
        if let Some(inner) = &self.0 {
            let mut state = inner.state();
            if state.fingerprint != fingerprint {
                // What the others run is known after the next look.
                (state.fingerprint, state.agrees) = (fingerprint, false);
                drop(state);
                inner.nudge.notify_one();
            }
        }
    }

    /// Gives everything up, each shard as soon as nobody works on it.
    pub fn leave(&self) {
        if let Some(inner) = &self.0 {
            let mut state = inner.state();
            state.is_leaving = true;
            state.shards.iter_mut().for_each(|held| held.is_leaving = true);
            drop(state);
            inner.changed();
            inner.nudge.notify_one();
        }
    }

    /// Waits until everything is given up.
    pub async fn left(&self) {
        let Some(inner) = &self.0 else { return };
        let mut changes = inner.revision.subscribe();
        while !inner.state().has_left {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

/// What the keeper does.
impl Division {
    pub(super) async fn nudged(&self) {
        match &self.0 {
            Some(inner) => inner.nudge.notified().await,
            None => pending().await,
        }
    }

    pub(super) fn fingerprint(&self) -> String {
        self.0.as_ref().map(|inner| inner.state().fingerprint.clone()).unwrap_or_default()
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.state().is_leaving)
    }

    pub(super) fn renewed(&self, valid_until: Instant) {
        if let Some(inner) = &self.0 {
            inner.state().valid_until = valid_until;
        }
    }

    /// Notes what is known of the replicas that live, compared with the configuration that this one had said that it runs.
    pub(super) fn saw(&self, living: u32, agrees: bool, said: &str) {
        let Some(inner) = &self.0 else { return };
        let mut state = inner.state();
        let agrees = agrees && state.fingerprint == said;
        if (state.living, state.agrees) != (living, agrees) {
            (state.living, state.agrees) = (living, agrees);
            drop(state);
            inner.changed();
        }
    }

    /// Takes shards that the store says are this replica's.
    pub(super) fn take(&self, shards: &BTreeSet<Shard>) {
        let Some(inner) = self.0.as_ref().filter(|_| !shards.is_empty()) else { return };
        let mut state = inner.state();
        let is_leaving = state.is_leaving;
        for shard in shards {
            let held = &mut state.shards[shard.index()];
            (held.is_owned, held.is_leaving) = (true, is_leaving);
        }
        drop(state);
        inner.changed();
    }

    /// Lets no new work begin on exactly these shards, and returns those of them on which nobody works.
    pub(super) fn prepare_to_give_up(&self, shards: &BTreeSet<Shard>) -> BTreeSet<Shard> {
        let Some(inner) = &self.0 else { return BTreeSet::new() };
        let (mut state, mut has_changed, mut idle) = (inner.state(), false, BTreeSet::new());
        let all_leave = state.is_leaving;
        for shard in Shard::all() {
            let held = &mut state.shards[shard.index()];
            let is_leaving = held.is_owned && (all_leave || shards.contains(&shard));
            has_changed |= held.is_leaving != is_leaving;
            held.is_leaving = is_leaving;
            if is_leaving && held.tenures == 0 {
                idle.insert(shard);
            }
        }
        drop(state);
        if has_changed {
            inner.changed();
        }
        idle
    }

    /// Notes that shards are given up. The store is updated afterward: whatever becomes of that, nobody works on them here.
    pub(super) fn gave_up(&self, shards: &BTreeSet<Shard>) {
        if let Some(inner) = &self.0 {
            let mut state = inner.state();
            for shard in shards {
                state.shards[shard.index()].is_owned = false;
            }
            drop(state);
            inner.changed();
        }
    }

    /// The shards that this process owns.
    pub(super) fn owned_shards(&self) -> BTreeSet<Shard> {
        self.0.as_ref().map_or_else(BTreeSet::new, |inner| {
            let state = inner.state();
            Shard::all().filter(|shard| state.shards[shard.index()].is_owned).collect()
        })
    }

    /// Says that everything is given up.
    pub(super) fn has_left(&self) {
        if let Some(inner) = &self.0 {
            inner.state().has_left = true;
            inner.changed();
        }
    }
}
