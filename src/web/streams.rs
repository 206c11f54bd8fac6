//! The pages that are open and wait for changes, and how the store was when it was last looked at.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{self, Arc, PoisonError},
    time::Duration,
};

use tokio::sync::Mutex;

use crate::{
    domain::{Scope, TenantId, Timestamp},
    query::Error,
    store::Store,
};

/// The most streams at a time: each holds a connection.
const STREAMS_MAX: usize = 200;
/// The most streams of one viewer, so that nobody takes all of them. Browsers open at most six connections to a server.
const STREAMS_OF_VIEWER_MAX: usize = 12;
/// The store is asked at most once in that time, however many streams look.
const READ_INTERVAL: Duration = Duration::from_secs(2);

/// The streams that are open, and what was last seen.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Arc<sync::Mutex<HashMap<String, usize>>>,
    seen: Mutex<Option<(Timestamp, Arc<Seen>)>>,
}

/// Why there is no place for one more stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The viewer has as many as one viewer may have.
    Viewer,
    /// All viewers together have.
    Everybody,
}

/// The place of one stream, which is free again once this is dropped.
#[derive(Debug)]
pub(super) struct StreamPlace {
    open: Arc<sync::Mutex<HashMap<String, usize>>>,
    viewer: String,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.viewer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.viewer);
            }
        }
    }
}

impl Streams {
    /// A place for one more stream of that viewer.
    pub(super) fn place(&self, viewer: String) -> Result<StreamPlace, Full> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= STREAMS_MAX {
            return Err(Full::Everybody);
        }
        let count = open.entry(viewer.clone()).or_default();
        if *count >= STREAMS_OF_VIEWER_MAX {
            return Err(Full::Viewer);
        }
        *count += 1;
        Ok(StreamPlace { open: Arc::clone(&self.open), viewer })
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
    fn one_viewer_does_not_take_the_places_of_others() {
        let streams = Streams::default();
        let place = |viewer: &str| streams.place(viewer.to_owned());
        let mut ann: Vec<StreamPlace> = (0..STREAMS_OF_VIEWER_MAX).map(|_| place("ann").unwrap()).collect();
        assert_eq!(place("ann").unwrap_err(), Full::Viewer);
        let ben = place("ben").unwrap();
        ann.pop();
        ann.push(place("ann").unwrap());
        let others: Vec<StreamPlace> =
            (ann.len() + 1..STREAMS_MAX).map(|number| place(&number.to_string()).unwrap()).collect();
        assert_eq!(place("carol").unwrap_err(), Full::Everybody);
        drop((ann, ben, others));
        assert!(streams.open.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[test]
    fn a_scope_is_notified_of_its_own_changes_alone() {
        let id = |text: &str| TenantId::parse(text).unwrap();
        let seen = |contoso, fabrikam, others| Seen {
            tenants: vec![(id("contoso"), contoso), (id("fabrikam"), fabrikam)],
            others,
        };
        let own = Scope::only([id("contoso")].into());
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
