//! One visit on its own task, and what it leaves to the planner.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crate::{
    check::{Checker, due::Turn, plan::Plan, run::Visit},
    config::Tenant,
    delivery::Dispatcher,
    domain::{TenantId, Timestamp},
    microsoft::FailureClass,
    store::{Division, Due, Shard, StoreError, TenantRecord},
    task,
};

/// The share of the concurrency that tenants who did not answer last time may use: one in this many.
const SLOW_LANE_SHARE: usize = 4;
/// Looks at alerts whose tenant's check is under way, at one time. They ask nobody but the store.
const BESIDE_MAX: usize = 32;
/// When a look that failed is made again.
const BESIDE_AGAIN: Duration = Duration::from_mins(1);

/// What came of a turn.
pub(super) enum Back {
    /// The tenant is due again then.
    Due {
        due: Due,
        turn: Turn,
        /// Whether its next check is later than scheduled; see [`Visit::is_backed_off`].
        is_backed_off: bool,
    },
    /// It came to nothing.
    Again(TenantId),
    /// Its alerts were evaluated while its check goes on.
    Beside {
        tenant: TenantId,
        /// When they must be evaluated next.
        wake_at: Option<Timestamp>,
    },
}

/// How many visits may be under way: most places are for tenants that answer.
pub(super) struct Lanes {
    pub(super) all: Arc<Semaphore>,
    pub(super) slow: Arc<Semaphore>,
    /// For looks at alerts whose tenant's check is under way.
    pub(super) beside: Arc<Semaphore>,
}

impl Lanes {
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(concurrency)),
            slow: Arc::new(Semaphore::new((concurrency / SLOW_LANE_SHARE).max(1))),
            beside: Arc::new(Semaphore::new(BESIDE_MAX)),
        }
    }
}

/// One visit on its own task.
pub(super) struct One {
    pub(super) checker: Checker,
    pub(super) dispatcher: Dispatcher,
    pub(super) plan: Arc<Plan>,
    /// The slow lane and all places, for a tenant that did not answer last time.
    pub(super) slow_lane: Option<(Arc<Semaphore>, Arc<Semaphore>)>,
    pub(super) back: mpsc::UnboundedSender<Back>,
    pub(super) shutdown: CancellationToken,
    /// Says whether the tenant is this replica's, and keeps it so until the visit is over.
    pub(super) division: Division,
}

impl One {
    /// Makes the visit and puts the tenant back, whatever happens. Without a turn, it is a look beside the check under way.
    pub(super) async fn make(
        self,
        tenant: Arc<Tenant>,
        turn: Option<Turn>,
        record: Option<TenantRecord>,
        place: OwnedSemaphorePermit,
    ) {
        // A slow tenant gives its place up while it waits for one of the slow lane's few, and then for another place.
        let _places = match &self.slow_lane {
            Some((slow, all)) => {
                drop(place);
                let lane = slow.clone().acquire_owned().await.ok();
                (lane, all.clone().acquire_owned().await.ok())
            }
            None => (None, Some(place)),
        };
        // Not before the visit has its place: while it waits for one, another replica may have the shard.
        let shard = Shard::of_tenant(tenant.account.entra);
        let tenure = if turn.is_some() { self.division.begin(shard) } else { self.division.begin_brief(shard) };
        let Some(_tenure) = tenure else {
            // The planner is gone only at shutdown.
            let _ = self.back.send(self.nothing(&tenant, turn));
            return;
        };
        let is_due = |record: &TenantRecord| record.health.next_due_at <= self.checker.clock.now();
        // It is woken before its time and due in the store: a person has asked for a check.
        if turn == Some(Turn::Wake) && record.as_ref().is_some_and(is_due) {
            self.checker.microsoft.forget(&tenant.account);
        }
        let visit = self.checker.visit(&self.plan, &tenant, turn.unwrap_or(Turn::Wake), record, &self.shutdown);
        let made = match AssertUnwindSafe(visit).catch_unwind().await {
            Ok(made) => made,
            Err(panic) => {
                task::note_panic("check", panic.as_ref());
                self.record_the_fault(&tenant).await
            }
        };
        let back = match (made, turn) {
            (Ok(Some(visit)), turn) => {
                visit.channels.iter().for_each(|channel| self.dispatcher.wake(channel));
                match turn {
                    Some(turn) => Back::Due { due: visit.due, turn, is_backed_off: visit.is_backed_off },
                    None => Back::Beside { tenant: tenant.id.clone(), wake_at: visit.due.wake_at },
                }
            }
            (Ok(None), _) => return debug!(tenant = %tenant.id, "a check was abandoned for shutdown"),
            (Err(error), turn) => {
                error!(tenant = %tenant.id, %error, "a check's result could not be committed; the check is repeated");
                self.nothing(&tenant, turn)
            }
        };
        let _ = self.back.send(back);
    }

    /// What a turn that came to nothing leaves.
    fn nothing(&self, tenant: &Tenant, turn: Option<Turn>) -> Back {
        let tenant = tenant.id.clone();
        match turn {
            Some(_) => Back::Again(tenant),
            None => Back::Beside { tenant, wake_at: Some(self.checker.clock.now().plus(BESIDE_AGAIN)) },
        }
    }

    /// A check that panics is one that failed: the operator must hear that the tenant can't be read.
    async fn record_the_fault(&self, tenant: &Tenant) -> Result<Option<Visit>, StoreError> {
        let fail = self.checker.fail(&self.plan, tenant, FailureClass::InternalError, &self.shutdown);
        match AssertUnwindSafe(fail).catch_unwind().await {
            Ok(failed) => failed.map(Some),
            Err(panic) => {
                task::note_panic("check", panic.as_ref());
                Err(StoreError::Failed("recording the failed check panicked as well".to_owned()))
            }
        }
    }
}
