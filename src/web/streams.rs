//! The pages that are open and wait for changes, and how the store was when it was last looked at.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use crate::{
    domain::{Scope, TenantId, Timestamp},
    query::Error,
    store::Store,
};

/// The most streams at a time: each holds a connection.
const STREAMS_MAX: usize = 64;
/// The store is asked at most once in that time, however many streams look.
const READ_INTERVAL: Duration = Duration::from_secs(2);

/// The streams that are open, and what was last seen.
#[derive(Debug)]
pub(super) struct Streams {
    places: Arc<Semaphore>,
    seen: Mutex<Option<(Timestamp, Arc<Seen>)>>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(STREAMS_MAX)), seen: Mutex::default() }
    }
}

impl Streams {
    /// A place for one more stream; `None`: all are taken.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// How the store is, or was a moment ago.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(super) async fn look(&self, store: &dyn Store, now: Timestamp) -> Result<Arc<Seen>, Error> {
        let mut seen = self.seen.lock().await;
        // A clock that was set back makes what was seen later than now.
        if let Some((_, seen)) = seen.as_ref().filter(|(at, _)| *at <= now && now.since(*at) < READ_INTERVAL) {
            return Ok(seen.clone());
        }
        let read = Arc::new(Seen::read(store).await?);
        *seen = Some((now, read.clone()));
        Ok(read)
    }
}

/// How the store was when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Each tenant with a number that changes with it.
    tenants: Vec<(TenantId, u64)>,
    /// A number that changes with deliveries and channels, which are of several tenants.
    others: u64,
}

impl Seen {
    async fn read(store: &dyn Store) -> Result<Self, Error> {
        let mut tenants: Vec<(TenantId, DefaultHasher)> = Vec::new();
        for line in store.tenant_lines().await? {
            let mut hasher = DefaultHasher::new();
            (line.version, line.next_due_at).hash(&mut hasher);
            tenants.push((line.tenant, hasher));
        }
        for alert in store.open_alerts().await? {
            // Tenants are ordered by their slugs.
            if let Ok(index) = tenants.binary_search_by(|(tenant, _)| tenant.cmp(&alert.tenant)) {
                (alert.rule.as_str(), alert.is_firing, alert.is_acknowledged).hash(&mut tenants[index].1);
            }
        }
        let mut others = DefaultHasher::new();
        let totals = store.totals().await?;
        for (channel, state, count) in &totals.deliveries {
            (channel.as_str(), state.as_str(), count).hash(&mut others);
        }
        for channel in store.channels().await? {
            (channel.channel.as_str(), channel.parked.is_some(), channel.health.proven_at).hash(&mut others);
        }
        let tenants = tenants.into_iter().map(|(tenant, hasher)| (tenant, hasher.finish())).collect();
        Ok(Self { tenants, others: others.finish() })
    }

    /// A number that changes with what the scope may see.
    pub(super) fn of(&self, scope: &Scope) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (tenant, number) in self.tenants.iter().filter(|(tenant, _)| scope.includes(tenant)) {
            (tenant.as_str(), number).hash(&mut hasher);
        }
        if scope.is_all() {
            self.others.hash(&mut hasher);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_notified_of_its_own_changes_alone() {
        let id = |text: &str| TenantId::parse(text).unwrap();
        let seen = |contoso, fabrikam, others| Seen {
            tenants: vec![(id("contoso"), contoso), (id("fabrikam"), fabrikam)],
            others,
        };
        let own = Scope::Only([id("contoso")].into());
        for (other, is_own, is_any) in [
            (seen(1, 1, 1), false, false),
            (seen(2, 1, 1), true, true),
            (seen(1, 2, 1), false, true),
            (seen(1, 1, 2), false, true),
        ] {
            let before = seen(1, 1, 1);
            assert_eq!(before.of(&own) != other.of(&own), is_own, "{other:?}");
            assert_eq!(before.of(&Scope::All) != other.of(&Scope::All), is_any, "{other:?}");
        }
    }
}
