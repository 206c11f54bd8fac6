//! The pages that are open and wait for changes, and how the store was when it was last looked at.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{self, Arc, PoisonError},
    time::Duration,
};

use tokio::sync::Mutex;

use crate::{
    config::Config,
    domain::{ChannelName, Scope, TenantId, Timestamp},
    notify::silence::Matchers,
    query::{Error, find},
    store::{EntryFilter, Store},
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
        let read = Arc::new(Seen::read(store, now).await?);
        *seen = Some((now, read.clone()));
        Ok(read)
    }
}

/// How the store was when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Each tenant with a number that changes with it.
    tenants: Vec<(TenantId, u64)>,
    /// Each channel with a number that changes with it and with what is sent to it.
    channels: HashMap<ChannelName, u64>,
    /// What is silenced or will be, with a number that changes with the silence.
    silences: Vec<(Matchers, u64)>,
    /// The number of the newest entry of the audit log, which is about all tenants.
    audited: u64,
}

impl Seen {
    async fn read(store: &dyn Store, now: Timestamp) -> Result<Self, Error> {
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
        let mut channels: HashMap<ChannelName, DefaultHasher> = HashMap::new();
        let totals = store.totals().await?;
        for (channel, state, count) in &totals.deliveries {
            (state.as_str(), count).hash(channels.entry(channel.clone()).or_default());
        }
        for channel in store.channels().await? {
            let hasher = channels.entry(channel.channel.clone()).or_default();
            (channel.parked.is_some(), channel.health.proven_at).hash(hasher);
        }
        let silences = store.silences(Some(now)).await?.into_iter().map(|silence| {
            let mut hasher = DefaultHasher::new();
            (silence.id.0, silence.starts_at, silence.ends_at).hash(&mut hasher);
            (silence.matchers, hasher.finish())
        });
        let newest = EntryFilter { limit: Some(1), ..EntryFilter::default() };
        Ok(Self {
            tenants: tenants.into_iter().map(|(tenant, hasher)| (tenant, hasher.finish())).collect(),
            channels: channels.into_iter().map(|(channel, hasher)| (channel, hasher.finish())).collect(),
            silences: silences.collect(),
            audited: store.entries(&newest).await?.first().map_or(0, |entry| entry.seq),
        })
    }

    /// A number that changes with what the scope may see. The configuration that was rejected is for those without limits.
    pub(super) fn of(&self, scope: &Scope, config: &Config, rejected: Option<(usize, &str)>) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (tenant, number) in self.tenants.iter().filter(|(tenant, _)| scope.includes(tenant)) {
            (tenant.as_str(), number).hash(&mut hasher);
        }
        for (_, number) in self.silences.iter().filter(|(matchers, _)| matchers.is_within(scope)) {
            number.hash(&mut hasher);
        }
        for settings in find::channels(config, scope) {
            (settings.name.as_str(), self.channels.get(&settings.name)).hash(&mut hasher);
        }
        if scope.is_all() {
            (self.audited, config.watched.fingerprint(), rejected).hash(&mut hasher);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::tests::config_of;

    const CONFIG: &str = "\
        channels:\n  \
          soc: { type: slack, url: { env: SOC } }\n  \
          contoso-it: { type: slack, url: { env: IT }, tenants: [contoso] }\n\
        tenants:\n  \
          - { id: contoso, tenant_id: 2f1c0a5e-0000-4000-8000-000000000001 }\n  \
          - { id: fabrikam, tenant_id: 2f1c0a5e-0000-4000-8000-000000000002 }\n\
        credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { env: X } }\n";

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

    /// Something that changes.
    type Change = fn(&mut Seen);

    #[test]
    fn a_scope_is_notified_of_its_own_changes_alone() {
        let id = |text: &str| TenantId::parse(text).unwrap();
        let channel = |text: &str| ChannelName::parse(text).unwrap();
        let of = |tenants: &[&str]| Matchers {
            tenants: tenants.iter().map(|text| id(text)).collect(),
            ..Matchers::default()
        };
        let seen = || Seen {
            tenants: vec![(id("contoso"), 1), (id("fabrikam"), 1)],
            channels: [(channel("soc"), 1), (channel("contoso-it"), 1)].into(),
            silences: vec![(of(&["contoso"]), 1), (of(&["contoso", "fabrikam"]), 1), (of(&[]), 1)],
            audited: 1,
        };
        let (own, config) = (Scope::only([id("contoso")].into()), config_of(CONFIG));
        let before = seen();
        let cases: [(&str, Change, bool); 9] = [
            ("its tenant", |seen| seen.tenants[0].1 = 2, true),
            ("another tenant", |seen| seen.tenants[1].1 = 2, false),
            ("its channel", |seen| *seen.channels.get_mut("contoso-it").unwrap() = 2, true),
            ("a shared channel", |seen| *seen.channels.get_mut("soc").unwrap() = 2, false),
            ("a silence of its own", |seen| seen.silences[0].1 = 2, true),
            ("the end of a silence of its own", |seen| drop(seen.silences.remove(0)), true),
            ("a silence of others, too", |seen| seen.silences[1].1 = 2, false),
            ("a silence of everything", |seen| seen.silences[2].1 = 2, false),
            ("an entry of the audit log", |seen| seen.audited = 2, false),
        ];
        for (what, change, is_own) in cases {
            let mut other = seen();
            change(&mut other);
            let differs = |scope| before.of(scope, &config, None) != other.of(scope, &config, None);
            assert_eq!(differs(&own), is_own, "{what}");
            assert!(differs(&Scope::All), "{what}");
        }
        let rejected = |scope| before.of(scope, &config, None) != before.of(scope, &config, Some((1, "a typo")));
        assert!(rejected(&Scope::All) && !rejected(&own));
        let edited = config_of(&format!("{CONFIG}timezone: Europe/Berlin\n"));
        let changed = |scope| before.of(scope, &config, None) != before.of(scope, &edited, None);
        assert!(changed(&Scope::All) && !changed(&own));
    }
}
