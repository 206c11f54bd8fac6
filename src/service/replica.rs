//! What a replica does because there are others: it looks for what they have queued for its channels and asked of its tenants. The one that
//! leads notifies the operator if they run or reject different configurations, or run different versions for long.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::error;

use super::{engine::Engine, rejection::Rejections};
use crate::{
    domain::{Scope, Timestamp},
    notify::{Notification, NotificationType, compose, facts::wording::News, notification::OperatorFacts},
    query::{self, replicas::Replica},
    store::{NewNotification, StoreError},
};

/// How often it looks: what a person does on any replica reaches the one that it concerns within so long.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Replicas whose configurations are changed one after the other agree after this time.
const NOTIFIED_AFTER: Duration = Duration::from_mins(5);
/// Messages about configurations that are read to find the newest that compares them.
const RECENT_MAX: u32 = 100;
/// The class of the message which says that they don't.
const DIFFER: &str = "configurations-differ";
/// And of the one which says that they do again.
const AGREE: &str = "configurations-agree";
/// How often versions are compared.
const VERSIONS_EVERY: Duration = Duration::from_mins(1);
/// The class of the message which says that versions differ.
const VERSIONS: &str = "versions-differ";
/// An upgrade of one replica after the other is over after this time.
const VERSIONS_NOTIFIED_AFTER: Duration = Duration::from_hours(1);

/// Looks again and again until shutdown.
pub(super) async fn follow(engine: Engine, shutdown: CancellationToken) {
    if !engine.store.division().is_shared() {
        return shutdown.cancelled().await;
    }
    let (mut differences, mut rejections, mut versions) = (None, Rejections::default(), Versions::default());
    while shutdown.run_until_cancelled(engine.clock.sleep(LOOK_EVERY)).await.is_some() {
        engine.dispatcher.look().await;
        if let Err(error) = compare(&engine, &mut differences).await {
            error!(%error, "the configurations of replicas could not be compared; trying again");
        }
        if let Err(error) = compare_versions(&engine, &mut versions).await {
            error!(%error, "the versions of replicas could not be compared; trying again");
        }
        if let Err(error) = rejections.look(&engine).await {
            error!(%error, "the operator could not be notified of rejected configurations; trying again");
        }
    }
}

/// Compares the configurations of all replicas, if this one leads. `differences` is kept while it does.
async fn compare(engine: &Engine, differences: &mut Option<Differences>) -> Result<(), query::Error> {
    let Some(_tenure) = engine.lead() else {
        *differences = None;
        return Ok(());
    };
    let (store, now) = (engine.store.as_ref(), engine.clock.now());
    if differences.is_none() {
        // Whoever led before may have notified the operator.
        let recent = store.recent(NotificationType::OperatorConfiguration, RECENT_MAX).await?;
        let mut classes = recent.iter().filter_map(|one| Some(&*one.data.facts.operator.as_ref()?.class));
        let is_notified = classes.find(|class| [DIFFER, AGREE].contains(class)) == Some(DIFFER);
        *differences = Some(Differences { since: None, is_notified });
    }
    let Some(known) = differences else { return Ok(()) };
    if known.rests() && engine.store.division().agrees() {
        return Ok(());
    }
    let replicas = query::replicas::list(store, &Scope::All).await?;
    let Some(news) = known.news(&differing(&replicas), now) else { return Ok(()) };
    let class = if matches!(news, News::ConfigurationsAgree) { AGREE } else { DIFFER };
    announce(engine, news, class, now).await?;
    known.notified(class == DIFFER);
    Ok(())
}

async fn announce(engine: &Engine, news: News, class: &'static str, now: Timestamp) -> Result<(), StoreError> {
    let (store, kind) = (engine.store.as_ref(), NotificationType::OperatorConfiguration);
    let at = now.to_string();
    let parts = [kind.as_str(), store.identity(), class, &at];
    let facts = OperatorFacts::of(news, class, None);
    let notification = compose::for_operator(kind, &parts, None, facts, now);
    let channels = engine.config.borrow().operator.notify.clone();
    let new = NewNotification { notification, alert: None, tenant: None, hold: None, channels };
    store.announce(new, now).await.map(drop)
}

/// Compares the versions of all replicas now and then, if this one leads. `versions` is kept while it does.
async fn compare_versions(engine: &Engine, versions: &mut Versions) -> Result<(), query::Error> {
    let now = engine.clock.now();
    let Some(_tenure) = engine.lead() else {
        *versions = Versions::default();
        return Ok(());
    };
    if versions.looked_at.is_some_and(|at| now >= at && now.since(at) < VERSIONS_EVERY) {
        return Ok(());
    }
    let store = engine.store.as_ref();
    let replicas = query::replicas::list(store, &Scope::All).await?;
    let others: Vec<_> = replicas.iter().filter(|one| one.living && one.same_version == Some(false)).collect();
    let Some(newest) = others.iter().map(|one| one.started_at).max() else {
        *versions = Versions { looked_at: Some(now), ..Versions::default() };
        return Ok(());
    };
    if versions.differ_since.is_none() {
        // Whoever led before may have notified the operator of these.
        let recent = store.recent(NotificationType::OperatorConfiguration, RECENT_MAX).await?;
        let of_versions = |one: &&Notification| {
            one.data.facts.operator.as_ref().is_some_and(|facts| facts.class == VERSIONS) && one.timestamp >= newest
        };
        versions.is_notified = recent.iter().any(|one| of_versions(&one));
    }
    if versions.differ(now) {
        let places = others.iter().map(|one| one.place.clone()).collect();
        announce(engine, News::VersionsDiffer { places }, VERSIONS, now).await?;
        versions.is_notified = true;
    }
    versions.looked_at = Some(now);
    Ok(())
}

/// What is known of replicas whose versions differ.
#[derive(Debug, Default)]
struct Versions {
    looked_at: Option<Timestamp>,
    /// Since when they do, as far as this replica knows; `None`: they don't.
    differ_since: Option<Timestamp>,
    is_notified: bool,
}

impl Versions {
    /// Notes that they differ. Whether the operator is to be notified of it now.
    fn differ(&mut self, now: Timestamp) -> bool {
        let since = *self.differ_since.get_or_insert(now);
        !self.is_notified && now.since(since) >= VERSIONS_NOTIFIED_AFTER
    }
}

/// Where the living replicas are that run another configuration than the one that leads.
fn differing(replicas: &[Replica]) -> Vec<String> {
    let differs = |one: &&Replica| one.living && one.same_configuration == Some(false);
    replicas.iter().filter(differs).map(|one| one.place.clone()).collect()
}

/// What is known of replicas whose configurations differ.
#[derive(Debug, Default)]
struct Differences {
    /// Since when they do; `None`: they agree.
    since: Option<Timestamp>,
    is_notified: bool,
}

impl Differences {
    /// Whether nothing is open.
    const fn rests(&self) -> bool {
        self.since.is_none() && !self.is_notified
    }

    /// What the operator is to be notified of now; asked again until [`Differences::notified`].
    fn news(&mut self, places: &[String], now: Timestamp) -> Option<News> {
        if places.is_empty() {
            self.since = None;
            return self.is_notified.then_some(News::ConfigurationsAgree);
        }
        let since = *self.since.get_or_insert(now);
        let is_due = !self.is_notified && now.since(since) >= NOTIFIED_AFTER;
        is_due.then(|| News::ConfigurationsDiffer { places: places.to_vec() })
    }

    /// Notes that the operator was notified that they differ, or agree again.
    const fn notified(&mut self, differ: bool) {
        self.is_notified = differ;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_reported_once_after_a_while_and_once_when_it_is_over() {
        let at = |minutes: i64| Timestamp::from_seconds(1_000_000 + 60 * minutes);
        let (here, none) = (vec!["pid 1 on sw-2".to_owned()], Vec::new());
        let mut known = Differences::default();
        assert!(known.rests());
        for (minute, places, expected) in [
            (0, &here, None),
            (4, &here, None),
            (4, &none, None),
            (5, &here, None),
            (9, &here, None),
            (10, &here, Some(true)),
            (11, &here, None),
            (99, &none, Some(false)),
            (100, &none, None),
        ] {
            let news = known.news(places, at(minute));
            let said = news.as_ref().map(|news| matches!(news, News::ConfigurationsDiffer { .. }));
            assert_eq!(said, expected, "minute {minute}");
            if let Some(differ) = said {
                known.notified(differ);
            }
        }
        assert!(known.rests());
    }

    #[test]
    fn versions_that_differ_are_reported_once_after_an_hour() {
        let at = |minutes: i64| Timestamp::from_seconds(1_000_000 + 60 * minutes);
        let mut versions = Versions::default();
        for (minute, expected) in [(0, false), (59, false), (60, true), (61, true)] {
            assert_eq!(versions.differ(at(minute)), expected, "minute {minute}");
        }
        versions.is_notified = true;
        assert!(!versions.differ(at(62)), "once");
        assert!(!Versions::default().differ(at(62)), "another time begins anew");
    }
}
