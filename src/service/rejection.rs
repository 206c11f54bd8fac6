//! Notifies the operator of a changed configuration that is rejected: until it is corrected, the old one stays in force, also
//! for a customer whom the new one removes. Where several replicas share the store, the one that leads does it for all ([`shared`]).

mod shared;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

pub(super) use self::shared::Rejections;
use super::recorded;
use crate::{
    clock::Clock,
    config::{Config, reload::Rejected},
    delivery::Dispatcher,
    domain::Timestamp,
    notify::{NotificationType, compose, facts::wording::News, notification::OperatorFacts},
    store::{NewNotification, RejectedConfiguration, Store, StoreError},
};

/// A change that is complete within this time is accepted in the end: files are copied one after the other.
const NOTIFIED_AFTER: Duration = Duration::from_secs(10);
/// The operator is notified again after this time while it stays rejected.
const AGAIN_EVERY: Duration = Duration::from_hours(24);
/// How long to wait if the store did not accept the notification.
const STORE_TROUBLE_WAIT: Duration = Duration::from_secs(5);

/// The class of the notification that says so.
const REJECTED: &str = "configuration-rejected";
/// And of the one that says that it is over.
const ACCEPTED: &str = "configuration-accepted";

/// What it takes to notify the operator.
pub(super) struct Notifier {
    pub(super) store: Arc<dyn Store>,
    pub(super) dispatcher: Dispatcher,
    /// The configuration in force, which names the operator's channels.
    pub(super) config: watch::Receiver<Arc<Config>>,
    pub(super) clock: Clock,
}

/// A rejection that is not over.
#[derive(Debug, Clone, Copy)]
struct Open {
    since: Timestamp,
    /// How often the operator was notified of it.
    notified: u32,
}

/// Notifies the operator of each rejection that lasts, and of its end, until shutdown.
pub(super) async fn follow(
    notifier: Notifier,
    mut rejected: watch::Receiver<Option<Rejected>>,
    shutdown: CancellationToken,
) {
    if notifier.store.division().is_shared() {
        return share(notifier, rejected, shutdown).await;
    }
    let mut open = before_start(&notifier).await;
    while !shutdown.is_cancelled() {
        let now = notifier.clock.now();
        let current = rejected.borrow_and_update().clone();
        let wait = match (&current, &mut open) {
            (None, None) => None,
            (Some(_), None) => {
                open = Some(Open { since: now, notified: 0 });
                Some(NOTIFIED_AFTER)
            }
            (Some(rejection), Some(state)) => {
                let due = NOTIFIED_AFTER + AGAIN_EVERY * state.notified;
                let passed = now.since(state.since);
                if passed < due {
                    Some(due.saturating_sub(passed))
                } else if notify(&notifier, said(rejection, *state), now).await {
                    if state.notified == 0 {
                        recorded::rejected(&*notifier.store, rejection, now).await;
                    }
                    state.notified += 1;
                    Some(AGAIN_EVERY)
                } else {
                    Some(STORE_TROUBLE_WAIT)
                }
            }
            (None, Some(state)) if state.notified == 0 || notify(&notifier, ended(*state, now), now).await => {
                open = None;
                None
            }
            (None, Some(_)) => Some(STORE_TROUBLE_WAIT),
        };
        changed_or_due(&notifier.clock, &mut rejected, wait, &shutdown).await;
    }
}

/// Waits until something else is rejected or accepted, for so long at most.
async fn changed_or_due(
    clock: &Clock,
    rejected: &mut watch::Receiver<Option<Rejected>>,
    wait: Option<Duration>,
    shutdown: &CancellationToken,
) {
    let due = async {
        match wait {
            Some(wait) => clock.sleep(wait).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        changed = rejected.changed() => if changed.is_err() {
            // Nothing is reloaded any more.
            shutdown.cancelled().await;
        },
        () = due => {}
        () = shutdown.cancelled() => {}
    }
}

/// Notes what is rejected for the replica that leads, and records in the audit log what lasts.
async fn share(notifier: Notifier, mut rejected: watch::Receiver<Option<Rejected>>, shutdown: CancellationToken) {
    let mut open: Option<Open> = None;
    while !shutdown.is_cancelled() {
        let now = notifier.clock.now();
        let current = rejected.borrow_and_update().clone();
        let since = open.map_or(now, |open| open.since);
        notifier.store.division().rejects(current.as_ref().map(|rejection| RejectedConfiguration {
            fingerprint: rejection.fingerprint.clone(),
            errors: rejection.errors,
            first: rejection.first.clone(),
            since,
        }));
        let mut wait = None;
        if let Some(rejection) = &current {
            let state = open.get_or_insert(Open { since, notified: 0 });
            let passed = now.since(state.since);
            if state.notified == 0 && passed < NOTIFIED_AFTER {
                wait = Some(NOTIFIED_AFTER.saturating_sub(passed));
            } else if state.notified == 0 {
                state.notified = 1;
                recorded::rejected(&*notifier.store, rejection, now).await;
            }
        } else {
            open = None;
        }
        changed_or_due(&notifier.clock, &mut rejected, wait, &shutdown).await;
    }
}

/// The rejection of an earlier run that the operator was notified of and whose end nobody reported: a service that runs was started
/// with a configuration that is accepted.
async fn before_start(notifier: &Notifier) -> Option<Open> {
    let recent = notifier.store.recent(NotificationType::OperatorConfiguration, shared::RECENT_MAX).await;
    let recent = recent.inspect_err(|error| warn!(%error, "whether a configuration was rejected before is not known"));
    let since = shared::open_since(&recent.ok()?)?;
    Some(Open { since, notified: 1 })
}

/// What the operator is notified of, and what makes this notification another one than the last.
struct Said {
    facts: OperatorFacts,
    part: String,
}

fn said(rejection: &Rejected, Open { since, notified }: Open) -> Said {
    let facts = rejected(rejection.errors, rejection.first.clone(), Vec::new(), notified > 0, since);
    Said { facts, part: format!("{since} {notified}") }
}

fn rejected(errors: usize, first: String, places: Vec<String>, is_still: bool, since: Timestamp) -> OperatorFacts {
    let news = News::ConfigurationRejected { errors, is_still, first, places };
    OperatorFacts { from: Some(since), ..OperatorFacts::of(news, REJECTED, None) }
}

fn over(since: Timestamp, now: Timestamp) -> OperatorFacts {
    let facts = OperatorFacts::of(News::ConfigurationAccepted, ACCEPTED, None);
    OperatorFacts { from: Some(since), until: Some(now), ..facts }
}

fn ended(Open { since, .. }: Open, now: Timestamp) -> Said {
    Said { facts: over(since, now), part: format!("{since} over") }
}

/// Whether it could be stored.
async fn notify(notifier: &Notifier, Said { facts, part }: Said, now: Timestamp) -> bool {
    let announced = announce(notifier, facts, &part, now).await;
    match announced {
        Ok(()) => notifier.dispatcher.sweep().await,
        Err(error) => {
            error!(%error, "the operator could not be notified of a rejected configuration; trying again");
            return false;
        }
    }
    true
}

async fn announce(notifier: &Notifier, facts: OperatorFacts, part: &str, now: Timestamp) -> Result<(), StoreError> {
    let kind = NotificationType::OperatorConfiguration;
    let parts = [kind.as_str(), notifier.store.identity(), part];
    let notification = compose::for_operator(kind, &parts, None, facts, now);
    let channels = notifier.config.borrow().operator.notify.clone();
    let new = NewNotification { notification, alert: None, tenant: None, hold: None, channels };
    notifier.store.announce(new, now).await.map(drop)
}
