//! Which part of the fleet this process works on.
//!
//! Tenants and channels are spread over a fixed number of shards. Each shard has one owner at a time, a *replica*: a running service. In a
//! store that only one process may have, that process owns every shard, and nothing of this costs anything. In a database that several
//! share, a keeper (`postgres/keeper.rs`) renews the replica's lease and moves shards between replicas; everybody else asks here.
//!
//! Whoever works on a tenant, a channel or the fleet holds a [`Tenure`] of its shard meanwhile. A living replica gives a shard up only
//! when nobody holds one, so what is under way is finished by whoever began it. A check may take minutes, and the channels of its shard
//! do not wait for it: while something long is under way on a shard that is to be given up, brief work still begins. A replica that was
//! not heard of loses all its shards in the transaction that removes its row; from then on its writes are refused. It stops working some
//! time before, by its monotonic clock.

mod grace;
mod keeping;
mod lateness;
mod others;
#[cfg(test)]
mod tests;
mod timing;
mod wish;

use std::{
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

use self::lateness::Lateness;
pub(super) use self::{
    grace::Grace,
    timing::Timing,
    wish::{Wish, wish},
};
use crate::{
    domain::{ChannelName, EntraTenantId},
    store::RejectedConfiguration,
};

/// How many shards there are: enough for dozens of replicas to have about the same number of them.
pub const SHARDS: u16 = 64;

/// A share of the tenants and of the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u16);

impl Shard {
    /// The shard whose owner does what is done once for the whole fleet: the lead.
    pub const LEAD: Self = Self(0);

    /// Every shard, from 0, which is the lead.
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
    /// The replica's id, drawn at its start.
    id: String,
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
    replicas: Replicas,
    /// The fingerprint of the configuration that this replica runs.
    fingerprint: String,
    /// The changed one that it rejects.
    rejected: Option<RejectedConfiguration>,
    /// How late its checks begin.
    lateness: Lateness,
    is_leaving: bool,
    has_left: bool,
}

/// What is known of all replicas, this one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Replicas {
    /// How many of them live.
    living: u32,
    /// Whether all of them run the same configuration.
    agrees: bool,
    /// Whether one of them rejects a changed configuration.
    is_rejected: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Held {
    is_owned: bool,
    /// It is given up as soon as nobody works on it.
    is_leaving: bool,
    /// What is under way and may take minutes.
    long: u32,
    /// What is under way and is over within seconds.
    brief: u32,
}

impl Held {
    /// Whether nobody works on it.
    const fn is_idle(self) -> bool {
        self.long == 0 && self.brief == 0
    }

    const fn count(&mut self, work: Work) -> &mut u32 {
        match work {
            Work::Long => &mut self.long,
            Work::Brief => &mut self.brief,
        }
    }

    /// Whether work may begin, as far as that does not depend on the lease. What is brief goes on only while something else keeps
    /// the shard, and so never keeps it for long.
    const fn lets_begin(self, work: Work) -> bool {
        self.is_owned && (!self.is_leaving || matches!(work, Work::Brief) && self.long > 0)
    }
}

/// How long work takes.
#[derive(Debug, Clone, Copy)]
enum Work {
    Long,
    Brief,
}

/// The right to work on a shard. The shard is not given up while this lives.
#[derive(Debug)]
pub struct Tenure(Option<(Arc<Inner>, Shard, Work)>);

impl Drop for Tenure {
    fn drop(&mut self) {
        let Some((inner, shard, work)) = &self.0 else { return };
        let mut state = inner.state();
        let held = &mut state.shards[shard.index()];
        let under_way = held.count(*work);
        *under_way = under_way.saturating_sub(1);
        let is_free_to_go = held.is_leaving && held.is_idle();
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
    pub(super) fn shared(id: String, fingerprint: String) -> Self {
        let state = State {
            shards: vec![Held::default(); SHARDS.into()],
            valid_until: Instant::now(),
            replicas: Replicas { living: 1, agrees: false, is_rejected: false },
            fingerprint,
            rejected: None,
            lateness: Lateness::default(),
            is_leaving: false,
            has_left: false,
        };
        let (state, revision, nudge) = (Mutex::new(state), watch::Sender::new(0), Notify::new());
        Self(Some(Arc::new(Inner { id, state, revision, nudge })))
    }

    /// Whether there may be other replicas.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    /// Begins work on a shard that may take minutes: a check, or what is done once for the whole fleet. `None`: another replica owns the
    /// shard, it is about to be given up, or the lease has run out.
    #[must_use]
    pub fn begin(&self, shard: Shard) -> Option<Tenure> {
        self.begin_work(shard, Work::Long)
    }

    /// Begins work on a shard that is over within seconds: one send. `None` as for [`Division::begin`]; but it may begin on a shard that
    /// is about to be given up as long as something else keeps the shard here.
    #[must_use]
    pub fn begin_brief(&self, shard: Shard) -> Option<Tenure> {
        self.begin_work(shard, Work::Brief)
    }

    fn begin_work(&self, shard: Shard, work: Work) -> Option<Tenure> {
        let Some(inner) = &self.0 else { return Some(Tenure(None)) };
        let mut state = inner.state();
        let is_valid = Instant::now() < state.valid_until;
        let held = &mut state.shards[shard.index()];
        if !is_valid || !held.lets_begin(work) {
            return None;
        }
        *held.count(work) += 1;
        drop(state);
        Some(Tenure(Some((inner.clone(), shard, work))))
    }

    /// Whether this process still owns the shard, even if it is about to give it up.
    #[must_use]
    pub fn still_owns(&self, shard: Shard) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.state().shards[shard.index()].is_owned)
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

    /// Notes that a check begins so long after it was due.
    pub fn note_lateness(&self, late: Duration) {
        if let Some(inner) = &self.0 {
            inner.state().lateness.note(late, Instant::now());
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
