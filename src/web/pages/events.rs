//! `GET /events`: says that something has changed, so that a page that is open can load its parts again. It says nothing of what changed:
//! the page asks for that, as whoever is signed in. And it says so only of what the caller may see.

use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use axum::{
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::answer::Visit;
use crate::{
    domain::{Scope, TenantId, Timestamp},
    query::Error,
    store::Store,
    web::protect::refusal,
};

/// The most streams at a time: each holds a connection.
const STREAMS_MAX: usize = 64;
/// How often a stream looks for changes.
const LOOK_INTERVAL: Duration = Duration::from_secs(3);
/// The store is asked at most once in that time, however many streams look.
const READ_INTERVAL: Duration = Duration::from_secs(2);
/// How often something is sent although nothing changed, so that proxies keep the stream open.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(20);
/// A stream ends after so many looks, before its connection does; browsers open another one.
const LOOKS_MAX: u32 = 80;
/// How long a browser waits until then.
const RETRY: Duration = Duration::from_secs(3);

/// The streams that are open, and what was last seen.
#[derive(Debug)]
pub(in crate::web) struct Streams {
    places: Arc<Semaphore>,
    seen: Mutex<Option<(Timestamp, Arc<Seen>)>>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(STREAMS_MAX)), seen: Mutex::default() }
    }
}

/// How the store was when it was last looked at.
#[derive(Debug, Default)]
struct Seen {
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
    fn of(&self, scope: &Scope) -> u64 {
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

/// `GET /events`.
pub(super) async fn stream(visit: Visit) -> Response {
    let Ok(place) = visit.app.streams.places.clone().try_acquire_owned() else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "too many pages are open; they show no changes by themselves");
    };
    let watch = Watch { visit, last: None, looks: 0, _place: place };
    let events = stream::unfold(watch, |mut watch| async {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT_INTERVAL)).into_response()
}

/// One open page.
struct Watch {
    visit: Visit,
    last: Option<u64>,
    looks: u32,
    _place: OwnedSemaphorePermit,
}

impl Watch {
    /// The next change; `None`: the stream ends.
    async fn next(&mut self) -> Option<Event> {
        while self.looks < LOOKS_MAX {
            if self.looks > 0 {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            self.looks += 1;
            // A store that can't be read is no change.
            let Ok(seen) = self.look().await else { continue };
            let now = seen.of(&self.visit.caller.scope);
            let before = self.last.replace(now);
            match before {
                None => return Some(Event::default().event("open").data("").retry(RETRY)),
                Some(before) if before != now => return Some(Event::default().event("change").data("")),
                Some(_) => {}
            }
        }
        None
    }

    async fn look(&self) -> Result<Arc<Seen>, Error> {
        let app = &self.visit.app;
        let mut seen = app.streams.seen.lock().await;
        let now = app.now();
        // A clock that was set back makes what was seen later than now.
        if let Some((_, seen)) = seen.as_ref().filter(|(at, _)| *at <= now && now.since(*at) < READ_INTERVAL) {
            return Ok(seen.clone());
        }
        let read = Arc::new(Seen::read(app.store.as_ref()).await?);
        *seen = Some((now, read.clone()));
        Ok(read)
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
