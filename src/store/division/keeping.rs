//! What the keeper says to a division, and asks of it.

use std::{collections::BTreeSet, future::pending, time::Duration};

use tokio::time::Instant;

use super::{Division, Replicas, Shard};
use crate::store::RejectedConfiguration;

impl Division {
    pub(in crate::store) async fn nudged(&self) {
        match &self.0 {
            Some(inner) => inner.nudge.notified().await,
            None => pending().await,
        }
    }

    pub(in crate::store) fn fingerprint(&self) -> String {
        self.0.as_ref().map(|inner| inner.state().fingerprint.clone()).unwrap_or_default()
    }

    /// The changed configuration that this replica rejects.
    pub(in crate::store) fn rejected(&self) -> Option<RejectedConfiguration> {
        self.0.as_ref().and_then(|inner| inner.state().rejected.clone())
    }

    /// How late the checks of the last minute began at most.
    pub(in crate::store) fn lateness(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |inner| inner.state().lateness.longest(Instant::now()))
    }

    pub(in crate::store) fn is_leaving(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.state().is_leaving)
    }

    pub(in crate::store) fn renewed(&self, valid_until: Instant) {
        if let Some(inner) = &self.0 {
            inner.state().valid_until = valid_until;
        }
    }

    /// Notes what is known of the replicas that live, compared with the configuration that this one had said that it runs.
    /// `is_rejected`: one of them rejects a changed one.
    pub(in crate::store) fn saw(&self, living: u32, agrees: bool, is_rejected: bool, said: &str) {
        let Some(inner) = &self.0 else { return };
        let mut state = inner.state();
        let agrees = agrees && state.fingerprint == said;
        let seen = Replicas { living, agrees, is_rejected: is_rejected || state.rejected.is_some() };
        if state.replicas != seen {
            state.replicas = seen;
            drop(state);
            inner.changed();
        }
    }

    /// Takes shards that the store says are this replica's.
    pub(in crate::store) fn take(&self, shards: &BTreeSet<Shard>) {
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
    pub(in crate::store) fn prepare_to_give_up(&self, shards: &BTreeSet<Shard>) -> BTreeSet<Shard> {
        let Some(inner) = &self.0 else { return BTreeSet::new() };
        let (mut state, mut has_changed, mut idle) = (inner.state(), false, BTreeSet::new());
        let all_leave = state.is_leaving;
        for shard in Shard::all() {
            let held = &mut state.shards[shard.index()];
            let is_leaving = held.is_owned && (all_leave || shards.contains(&shard));
            has_changed |= held.is_leaving != is_leaving;
            held.is_leaving = is_leaving;
            if is_leaving && held.is_idle() {
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
    pub(in crate::store) fn gave_up(&self, shards: &BTreeSet<Shard>) {
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
    pub(in crate::store) fn owned_shards(&self) -> BTreeSet<Shard> {
        self.0.as_ref().map_or_else(BTreeSet::new, |inner| {
            let state = inner.state();
            Shard::all().filter(|shard| state.shards[shard.index()].is_owned).collect()
        })
    }

    /// Says that everything is given up.
    pub(in crate::store) fn has_left(&self) {
        if let Some(inner) = &self.0 {
            inner.state().has_left = true;
            inner.changed();
        }
    }
}
