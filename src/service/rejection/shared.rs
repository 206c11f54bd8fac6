//! Rejected configurations where several replicas share the store. Each replica notes in its row what it rejects, and the one that leads
//! notifies the operator: once of what several reject, and of the end only when no replica that lives rejects anything.
//!
//! The id of such a message follows from what is rejected and since when, so that a replica that leads next says nothing twice. Where it
//! can't know that something was said, it says it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{ACCEPTED, AGAIN_EVERY, NOTIFIED_AFTER, REJECTED, over, rejected};
use crate::{
    domain::{Scope, Timestamp},
    notify::{Notification, NotificationType, compose, notification::OperatorFacts},
    query::{self, replicas::Replica},
    service::engine::Engine,
    store::{NewNotification, RejectedConfiguration, StoreError},
};

/// Messages about configurations that are read to find a rejection whose end nobody has reported.
pub(super) const RECENT_MAX: u32 = 100;

/// What a replica knows of what it and the others reject.
#[derive(Debug, Default)]
pub(in crate::service) struct Rejections {
    /// Whether it led when it looked last; `None`: it has not looked yet.
    led: Option<bool>,
    known: Known,
}

impl Rejections {
    /// Notifies the operator if this replica leads, or if the one that leads is of a version that may not know of this.
    ///
    /// # Errors
    /// [`query::Error`]: the next look tries again.
    pub(in crate::service) async fn look(&mut self, engine: &Engine) -> Result<(), query::Error> {
        let (store, now, tenure) = (engine.store.as_ref(), engine.clock.now(), engine.lead());
        let (division, leads) = (store.division(), tenure.is_some());
        if self.led != Some(leads) {
            let recent = if leads {
                store.recent(NotificationType::OperatorConfiguration, RECENT_MAX).await?
            } else {
                Vec::new()
            };
            *self = Self { led: Some(leads), known: Known { open: open_since(&recent), ..Known::default() } };
        }
        if self.known.rests() && !division.hears_of_rejection() {
            return Ok(());
        }
        let replicas = query::replicas::list(store, &Scope::All).await?;
        let replicas = if leads { replicas } else { of_own(replicas, division.id()) };
        while let Some(news) = self.known.news(&replicas, now) {
            announce(engine, &news, now).await?;
            self.known.notified(&news);
        }
        Ok(())
    }
}

/// Since when there is a rejection that the operator was notified of and whose end nobody has reported, by what was sent, newest first.
pub(super) fn open_since(recent: &[Notification]) -> Option<Timestamp> {
    let facts = recent.iter().filter_map(|one| one.data.facts.operator.as_ref());
    let open = facts.take_while(|facts| facts.class != ACCEPTED).filter(|facts| facts.class == REJECTED);
    open.filter_map(|facts| facts.from).min()
}

/// What a replica that does not lead speaks for: itself, if the one that leads may not, or if there is none.
fn of_own(replicas: Vec<Replica>, id: Option<&str>) -> Vec<Replica> {
    let is_led = replicas.iter().any(|one| one.living && one.leads && one.version == env!("CARGO_PKG_VERSION"));
    replicas.into_iter().filter(|one| !is_led && id == Some(&*one.id)).collect()
}

async fn announce(engine: &Engine, news: &News, now: Timestamp) -> Result<(), StoreError> {
    let kind = NotificationType::OperatorConfiguration;
    let (facts, part) = news.said(now);
    let parts = [kind.as_str(), engine.store.identity(), &part];
    let notification = compose::for_operator(kind, &parts, None, facts, now);
    let channels = engine.config.borrow().operator.notify.clone();
    let new = NewNotification { notification, alert: None, tenant: None, hold: None, channels };
    engine.store.announce(new, now).await?;
    engine.dispatcher.sweep().await;
    Ok(())
}

/// What the operator is notified of.
#[derive(Debug, Clone, PartialEq)]
enum News {
    /// These replicas reject the same.
    Rejected {
        what: RejectedConfiguration,
        places: Vec<String>,
        ids: Vec<String>,
        /// How many days it has been rejected for.
        round: u32,
    },
    /// No replica rejects anything any more.
    Over { since: Timestamp },
}

impl News {
    /// What the message says, and what makes it another one than the last.
    fn said(&self, now: Timestamp) -> (OperatorFacts, String) {
        match self {
            Self::Rejected { what, places, round, .. } => (
                rejected(what.errors, what.first.clone(), places.clone(), *round > 0, what.since),
                format!("{} {} {round}", what.fingerprint, what.since),
            ),
            Self::Over { since } => (over(*since, now), format!("{since} over")),
        }
    }
}

/// Of which rejections the operator was notified.
#[derive(Debug, Default)]
struct Known {
    /// Since when there is one whose end is to be reported.
    open: Option<Timestamp>,
    /// The replicas that reject something, by their ids.
    heard: BTreeMap<String, Heard>,
    /// What was said, by fingerprint and round, as long as somebody rejects it.
    said: BTreeSet<(String, u32)>,
}

/// A replica that rejects something.
#[derive(Debug)]
struct Heard {
    /// When this was first seen.
    at: Timestamp,
    /// The newest round of messages that spoke for it.
    round: Option<u32>,
}

impl Known {
    /// Whether nothing is open.
    fn rests(&self) -> bool {
        self.open.is_none() && self.heard.is_empty()
    }

    /// What the operator is to be notified of now; asked again after [`Known::notified`], until there is nothing.
    fn news(&mut self, replicas: &[Replica], now: Timestamp) -> Option<News> {
        let mut groups: BTreeMap<&str, Vec<(&Replica, &RejectedConfiguration)>> = BTreeMap::new();
        for replica in replicas.iter().filter(|one| one.living) {
            if let Some(what) = &replica.rejected {
                groups.entry(&what.fingerprint).or_default().push((replica, what));
            }
        }
        self.said.retain(|(fingerprint, _)| groups.contains_key(&**fingerprint));
        let rejecting: BTreeSet<&str> = groups.values().flatten().map(|(replica, _)| &*replica.id).collect();
        self.heard.retain(|id, _| rejecting.contains(&**id));
        if rejecting.is_empty() {
            return self.open.map(|since| News::Over { since });
        }
        for id in rejecting {
            self.heard.entry(id.to_owned()).or_insert(Heard { at: now, round: None });
        }
        groups.into_values().find_map(|group| self.of_group(&group, now))
    }

    /// What is to be said of replicas that reject the same.
    fn of_group(&mut self, group: &[(&Replica, &RejectedConfiguration)], now: Timestamp) -> Option<News> {
        let (_, first) = *group.iter().min_by_key(|(_, what)| what.since)?;
        let round = round(now.since(first.since));
        let is_due =
            |heard: &Heard| now.since(heard.at) >= NOTIFIED_AFTER && heard.round.is_none_or(|said| said < round);
        if !group.iter().any(|(replica, _)| self.heard.get(&replica.id).is_some_and(is_due)) {
            return None;
        }
        let news = News::Rejected {
            what: first.clone(),
            places: group.iter().map(|(replica, _)| replica.place.clone()).collect(),
            ids: group.iter().map(|(replica, _)| replica.id.clone()).collect(),
            round,
        };
        if self.said.contains(&(first.fingerprint.clone(), round)) {
            // Another one rejects what was said.
            self.notified(&news);
            return None;
        }
        Some(news)
    }

    /// Notes that the operator was notified of it.
    fn notified(&mut self, news: &News) {
        match news {
            News::Over { .. } => self.open = None,
            News::Rejected { what, ids, round, .. } => {
                self.open = Some(self.open.map_or(what.since, |open| open.min(what.since)));
                self.said.insert((what.fingerprint.clone(), *round));
                for id in ids {
                    if let Some(heard) = self.heard.get_mut(id) {
                        heard.round = Some(*round);
                    }
                }
            }
        }
    }
}

/// How many days it has been rejected for, counted from the first message.
fn round(rejected_for: Duration) -> u32 {
    let days = rejected_for.saturating_sub(NOTIFIED_AFTER).as_secs() / AGAIN_EVERY.as_secs();
    u32::try_from(days).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
