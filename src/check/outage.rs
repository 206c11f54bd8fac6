//! Many tenants that can't be read for one reason: an outage, of which the operator is notified once. Pure.
//!
//! Each tenant's own alert keeps its state; whether it is reported on its own or as part of an outage is decided here, from what the
//! store knows of all tenants that fail. So a restart decides the same.

mod cause;
pub mod gather;
pub mod notice;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

pub use cause::Cause;

use crate::{
    config::{Config, Tenant},
    domain::{TenantId, Timestamp},
    microsoft::FailureClass,
    store::{FailingTenant, Outage},
};

/// The name of the operator's own rule. Rules of users can't be called so.
pub const OPERATOR_BLIND: &str = "operator.blind";

/// The fewest tenants of the whole fleet that make an outage.
const AT_LEAST: usize = 10;
/// Of the tenants checked lately, one in this many must be hit.
const SHARE: usize = 3;
/// The fewest tenants of one app or host that make an outage, if they are all of it.
const WHOLE_AT_LEAST: usize = 2;
/// A tenant that was checked within this time before an outage began, or later, is a witness of it.
const LATELY: Duration = Duration::from_hours(1);
/// An outage is over when fewer than one in this many of its tenants is still hit.
const OVER_BELOW: usize = 4;
/// How long an outage that is over is asked for: its tenants may be checked once a day.
pub const REMEMBERED: Duration = Duration::from_hours(48);

/// What the decision is made from.
#[derive(Debug, Clone, Copy)]
pub struct Fleet<'a> {
    /// The configuration in force.
    pub config: &'a Config,
    /// The tenants whose checks fail.
    pub failing: &'a [FailingTenant],
    /// The outages that go on, and those that were over within [`REMEMBERED`].
    pub outages: &'a [Outage],
    /// When each tenant was last checked. May be empty while [`Fleet::needs_witnesses`] says so.
    pub checked: &'a HashMap<TenantId, Timestamp>,
}

/// What there is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Outages that changed, with what there is to report.
    pub changed: Vec<(Outage, Option<News>)>,
    /// Tenants to be reported on their own.
    pub alone: Vec<TenantId>,
    /// Why the others can't be read.
    pub causes: Causes,
}

/// What there is to report about an outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It goes on, and the operator does not know.
    Began {
        /// The most common class of failure.
        class: String,
        /// Where the secret is kept that can't be read, and what to do there.
        hint: Option<String>,
        /// Tenants that it affects and that were reported on their own before.
        notified_before: BTreeSet<TenantId>,
    },
    /// The outage is over.
    Over {
        /// Tenants that it still hits.
        left: BTreeSet<TenantId>,
    },
}

/// Why tenants can't be read that are not to blame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Causes {
    /// The causes of the outages that go on.
    pub open: BTreeSet<Cause>,
    /// The same with those of the outages that were over a short time ago.
    pub lately: BTreeSet<Cause>,
}

/// The causes of outages, as checks see them. Cheap to clone; clones see the same.
#[derive(Debug, Clone, Default)]
pub struct KnownOutages(Arc<RwLock<Arc<Causes>>>);

impl KnownOutages {
    /// The causes as they are now.
    #[must_use]
    pub fn causes(&self) -> Arc<Causes> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the known causes of outages by those just read from the store.
    pub fn set(&self, causes: Causes) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(causes);
    }
}

type Groups<'a> = BTreeMap<Cause, Vec<&'a FailingTenant>>;

impl Fleet<'_> {
    /// Whether an outage may begin, so that it matters when the others were checked.
    #[must_use]
    pub fn needs_witnesses(&self) -> bool {
        let open = |cause: &Cause| self.outages.iter().any(|outage| outage.over_at.is_none() && cause.is(outage));
        self.groups().iter().any(|(cause, hit)| hit.len() >= WHOLE_AT_LEAST && !open(cause))
    }

    /// The configured tenants that fail, by what they may have in common.
    fn groups(&self) -> Groups<'_> {
        let mut groups = Groups::new();
        for failing in self.failing {
            let tenant = self.config.tenants.get(&failing.tenant);
            if let Some(cause) = tenant.and_then(|tenant| Cause::of(tenant, &failing.failing.class)) {
                groups.entry(cause).or_default().push(failing);
            }
        }
        groups
    }

    /// When an outage of these tenants began: with the first of them that was not reported on its own, and after the last outage of its kind.
    fn since(&self, cause: &Cause, hit: &[&FailingTenant]) -> Option<Timestamp> {
        let last = self.outages.iter().filter(|outage| cause.is(outage)).filter_map(|outage| outage.over_at).max();
        let at = |hit: &&FailingTenant| last.map_or(hit.failing.since, |last| last.max(hit.failing.since));
        let worst_before = hit.iter().filter(|hit| is_nobody_notified(hit)).map(at).min();
        worst_before.or_else(|| hit.iter().map(at).min())
    }

    /// Whether so many tenants fail for this reason that it is one thing.
    fn begins(&self, cause: &Cause, hit: &[&FailingTenant], since: Timestamp) -> bool {
        let ids: BTreeSet<&TenantId> = hit.iter().map(|hit| &hit.tenant).collect();
        let tally = |group: &dyn Fn(&Tenant) -> bool| {
            let members = self.config.tenants.values().filter(|tenant| group(tenant));
            members.fold(Tally::default(), |tally, tenant| {
                let lately = self.checked.get(&tenant.id).is_some_and(|at| *at >= since.minus(LATELY));
                tally.with(ids.contains(&tenant.id), lately)
            })
        };
        match cause {
            // It opens them all: of two that fail by it, none is to blame. One that can't be read fails for all of them.
            Cause::Credential(_) => {
                let unreadable = hit.iter().filter(|hit| is_secret_unreadable(hit));
                let users = unreadable.map(|hit| same_credential(self.config, &hit.tenant).count()).max();
                ids.len().max(users.unwrap_or_default()) >= WHOLE_AT_LEAST
            }
            Cause::App(app) => tally(&|tenant| tenant.account.app.client_id == *app).is_one_thing(),
            Cause::Service | Cause::Clock | Cause::Proxy | Cause::Refusal(_) => {
                tally(&|_| true).is_one_thing()
                    || hit.iter().filter_map(|hit| self.config.tenants.get(&hit.tenant)).any(|one| {
                        let (app, hosts) = (one.account.app.client_id, &one.account.hosts);
                        tally(&|tenant| tenant.account.app.client_id == app).is_whole()
                            || tally(&|tenant| tenant.account.hosts.defender == hosts.defender).is_whole()
                    })
            }
        }
    }
}

/// How a group of tenants fares.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    all: usize,
    hit: usize,
    witnesses: usize,
}

impl Tally {
    const fn with(self, is_hit: bool, lately: bool) -> Self {
        Self {
            all: self.all + 1,
            hit: self.hit + is_hit as usize,
            witnesses: self.witnesses + (is_hit || lately) as usize,
        }
    }

    /// Whether all that were checked lately are hit, and they are not a small part.
    const fn is_whole(self) -> bool {
        self.hit >= WHOLE_AT_LEAST && self.hit == self.witnesses && self.hit * 2 >= self.all
    }

    const fn is_one_thing(self) -> bool {
        self.is_whole() || (self.hit >= AT_LEAST && self.hit * SHARE >= self.witnesses)
    }
}

fn is_nobody_notified(hit: &FailingTenant) -> bool {
    hit.blind.as_ref().is_none_or(|blind| blind.notified_channels.is_empty())
}

/// Whether the operator's alert fires and nobody was notified.
fn waits(hit: &FailingTenant) -> bool {
    hit.blind.as_ref().is_some_and(|blind| blind.notified_channels.is_empty())
}

/// Decides who is notified of what. Called again with the result, it changes nothing.
#[must_use]
pub fn decide(fleet: Fleet<'_>, now: Timestamp) -> Decision {
    let groups = fleet.groups();
    let mut decision = Decision::default();
    let mut outages: Vec<Outage> = Vec::with_capacity(fleet.outages.len());
    for outage in fleet.outages {
        let Some(cause) = Cause::from_key(&outage.cause).filter(|_| outage.over_at.is_none()) else {
            outages.push(outage.clone());
            continue;
        };
        let hit = groups.get(&cause).map_or(&[][..], Vec::as_slice);
        let (next, news) = go_on(&fleet, outage, hit, now);
        if next.over_at.is_none() {
            decision.causes.open.insert(cause);
        }
        outages.push(next.clone());
        if next != *outage {
            decision.changed.push((next, news));
        }
    }
    for (cause, hit) in groups.iter().filter(|(cause, _)| !decision.causes.open.contains(*cause)).collect::<Vec<_>>() {
        let Some(since) = fleet.since(cause, hit).filter(|since| fleet.begins(cause, hit, *since)) else { continue };
        let (cause_key, tenants) = (cause.key(), BTreeSet::new());
        let new = Outage {
            cause: cause_key,
            since,
            tenants,
            notified_at: None,
            notified_channels: Vec::new(),
            over_at: None,
        };
        decision.changed.push(go_on(&fleet, &new, hit, now));
        decision.causes.open.insert(cause.clone());
    }
    let over = outages.iter().filter(|outage| outage.over_at.is_some_and(|over| over > now.minus(LATELY)));
    decision.causes.lately =
        over.filter_map(|outage| Cause::from_key(&outage.cause)).chain(decision.causes.open.clone()).collect();
    decision.alone = alone(&fleet, &outages, &decision.causes.open);
    decision
}

/// What becomes of an outage that hits these tenants now.
fn go_on(fleet: &Fleet<'_>, outage: &Outage, hit: &[&FailingTenant], now: Timestamp) -> (Outage, Option<News>) {
    let mut next = outage.clone();
    if hit.len() * OVER_BELOW < outage.tenants.len() || (hit.is_empty() && !outage.tenants.is_empty()) {
        next.over_at = Some(now);
        let left = hit.iter().map(|hit| hit.tenant.clone()).collect();
        return (next, outage.notified_at.map(|_| News::Over { left }));
    }
    next.tenants.extend(hit.iter().map(|hit| hit.tenant.clone()));
    if outage.notified_at.is_some() || !hit.iter().any(|hit| waits(hit)) {
        return (next, None);
    }
    next.notified_at = Some(now);
    next.notified_channels.clone_from(&fleet.config.operator.notify);
    let notified_before = hit.iter().filter(|hit| !is_nobody_notified(hit)).map(|hit| hit.tenant.clone()).collect();
    let class = commonest(hit);
    let unreadable = hit.iter().find(|failing| is_secret_unreadable(failing));
    let place = unreadable.and_then(|failing| failing.failing.hint.clone());
    let place = place.filter(|_| class == FailureClass::SecretUnreadable.as_str());
    (next, Some(News::Began { class, hint: place, notified_before }))
}

/// The tenants that are read by the same credential as this one, itself included.
fn same_credential<'a>(config: &'a Config, tenant: &TenantId) -> impl Iterator<Item = &'a TenantId> {
    let app = config.tenants.get(tenant).map(|tenant| &tenant.account.app);
    let is_same = move |other: &&Arc<Tenant>| app.is_some_and(|app| other.account.app == *app);
    config.tenants.values().filter(is_same).map(|tenant| &tenant.id)
}

fn is_secret_unreadable(tenant: &FailingTenant) -> bool {
    tenant.failing.class == FailureClass::SecretUnreadable.as_str()
}

fn commonest(hit: &[&FailingTenant]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for hit in hit {
        *counts.entry(&hit.failing.class).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or_else(String::new, |(class, _)| class.to_owned())
}

/// The tenants whose alert fires, that nobody was notified of, and that no outage explains. A tenant of an outage that is over is
/// waited for until it was checked once more.
fn alone(fleet: &Fleet<'_>, outages: &[Outage], open: &BTreeSet<Cause>) -> Vec<TenantId> {
    let is_due = |failing: &&FailingTenant| {
        let Some(tenant) = fleet.config.tenants.get(&failing.tenant) else { return false };
        let explained = Cause::of(tenant, &failing.failing.class).is_some_and(|cause| open.contains(&cause));
        let unchecked = outages.iter().any(|outage| {
            let over = outage.over_at.filter(|_| outage.tenants.contains(&failing.tenant));
            over.is_some_and(|over| failing.checked_at.is_none_or(|at| at <= over))
        });
        waits(failing) && !explained && !unchecked
    };
    fleet.failing.iter().filter(is_due).map(|failing| failing.tenant.clone()).collect()
}
