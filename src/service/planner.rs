//! Takes tenants whose turn has come and visits them, a limited number at a time. One slow tenant delays no other.

mod division;
mod parts;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

pub use self::parts::Parts;
use super::{
    descriptors, orphans,
    part::{Part, same_foundations},
    visit::{Back, Lanes, One},
};
use crate::{
    check::{
        Checker, DueQueue, backed_off,
        due::Turn,
        plan::{Plan, first_due, next_due},
    },
    config::{Config, Tenant},
    crash_point::{self, CrashPoint},
    delivery::Dispatcher,
    domain::{TenantId, Timestamp, format_duration},
    store::{Due, StoreError, TenantRecord},
    task,
    telemetry::Health,
};

/// The most tenants that are loaded together.
const BATCH_MAX: usize = 128;
/// How long it takes until alerts without a place are looked for again when the store failed.
const STORE_TROUBLE_WAIT: Duration = Duration::from_secs(5);
/// What the store keeps of a tenant that did not answer in time.
const SLOW_LANE_CLASSES: [&str; 4] = ["microsoft-down", "unreachable", "check-timeout", "internal-error"];

/// Plans and makes visits.
pub struct Planner {
    checker: Checker,
    dispatcher: Dispatcher,
    health: Health,
    config: watch::Receiver<Arc<Config>>,
    due_scan: Arc<Notify>,
    store_recovered: Arc<Notify>,
    settled: mpsc::UnboundedReceiver<TenantId>,
    back: (mpsc::UnboundedSender<Back>, mpsc::UnboundedReceiver<Back>),
    visits: TaskTracker,
    shutdown: CancellationToken,
    plan: Arc<Plan>,
    /// Which tenants are this process's.
    part: Part,
    queue: DueQueue,
    lanes: Lanes,
    last_seen: Timestamp,
    /// Tenants whose visit under way began under an earlier configuration.
    outdated: BTreeSet<TenantId>,
    /// Tenants whose next check is later than their schedule says.
    backed_off: BTreeSet<TenantId>,
    /// When alerts without a place in the configuration must be looked for; `None`: they have been ended.
    orphans_at: Option<Timestamp>,
}

impl Planner {
    /// A planner that knows when every configured tenant is due.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be asked.
    pub async fn new(parts: Parts) -> Result<Self, StoreError> {
        let Parts { checker, dispatcher, health, mut config, due_scan, store_recovered, settled, shutdown } = parts;
        let plan = Arc::new(Plan::new(config.borrow_and_update().clone()));
        let lanes = Lanes::new(plan.config.concurrency);
        let last_seen = checker.clock.now();
        let part = Part::new(checker.store.division());
        let mut planner = Self {
            part,
            checker,
            dispatcher,
            health,
            config,
            due_scan,
            store_recovered,
            settled,
            back: mpsc::unbounded_channel(),
            visits: TaskTracker::new(),
            shutdown,
            plan,
            queue: DueQueue::default(),
            lanes,
            last_seen,
            outdated: BTreeSet::new(),
            backed_off: BTreeSet::new(),
            orphans_at: Some(last_seen),
        };
        planner.enter_all().await?;
        Ok(planner)
    }

    /// Plans until shutdown, then waits for the visits under way.
    pub async fn run(mut self) {
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                () = self.due_scan.notified() => {}
                () = self.store_recovered.notified() => self.queue.try_again(self.checker.clock.now()),
                Some(back) = self.back.1.recv() => self.put_back(back),
                Some(tenant) = self.settled.recv() => self.queue.wake(&tenant),
                Ok(()) = self.config.changed() => self.apply_configuration(),
            }
            while let Ok(back) = self.back.1.try_recv() {
                self.put_back(back);
            }
            self.mind_the_clock();
            self.follow_division().await;
            self.end_orphans().await;
            self.start_due().await;
            self.start_beside().await;
        }
        self.visits.close();
        self.visits.wait().await;
    }

    /// Enters every configured tenant of this process that is not entered: as the store has it, or soon if the store does not know it.
    async fn enter_all(&mut self) -> Result<(), StoreError> {
        let now = self.checker.clock.now();
        let known = self.checker.store.schedule().await?;
        for due in known {
            if !self.queue.contains(&due.tenant) {
                self.enter(due, now);
            }
        }
        self.enter_unknown(now);
        let next = self.queue.next_at().map(|at| at.to_string());
        info!(tenants = self.queue.len(), next_check_at = next.as_deref(), "tenants were scheduled");
        Ok(())
    }

    /// Enters every configured tenant of this process that is not entered, to be checked soon.
    fn enter_unknown(&mut self, now: Timestamp) {
        let (plan, part) = (self.plan.clone(), &self.part);
        let mut place = 0_u32;
        for (id, tenant) in plan.config.tenants.iter().filter(|(_, tenant)| part.has(tenant)) {
            if !self.queue.contains(id) {
                let next_due_at = first_due(place, now).min(next_due(&plan, tenant, now));
                self.queue.put(Due { tenant: id.clone(), next_due_at, wake_at: None });
                place = place.saturating_add(1);
            }
        }
    }

    /// Whether a tenant is configured, and this process's.
    fn is_ours(&self, id: &TenantId) -> bool {
        self.plan.config.tenants.get(id).is_some_and(|tenant| self.part.has(tenant))
    }

    /// Enters a tenant, not later than its schedule says: schedule and clock may have been changed since that was computed.
    fn enter(&mut self, mut due: Due, now: Timestamp) {
        if let Some(tenant) = self.plan.config.tenants.get(&due.tenant).filter(|tenant| self.part.has(tenant)) {
            due.next_due_at = due.next_due_at.min(next_due(&self.plan, tenant, now));
            self.queue.put(due);
        }
    }

    /// Puts back a tenant that is asked less often: as it was found, and no sooner, unless somebody brought it forward meanwhile.
    fn enter_backed_off(&mut self, mut due: Due, turn: Turn, now: Timestamp) {
        let Some(tenant) = self.plan.config.tenants.get(&due.tenant) else { return };
        // The clock may have been set back since.
        let latest = next_due(&self.plan, tenant, now.plus(backed_off::LONGEST));
        let brought_forward = if turn == Turn::Wake { self.queue.check_at(&due.tenant) } else { None };
        due.next_due_at = due.next_due_at.min(latest).min(brought_forward.unwrap_or(latest));
        self.queue.put(due);
    }

    /// Takes a new configuration into force. No alert's state is touched; whose rule is gone is ended.
    fn apply_configuration(&mut self) {
        let config = self.config.borrow_and_update().clone();
        if config.concurrency != self.plan.config.concurrency {
            self.lanes = Lanes::new(config.concurrency);
        }
        let before = std::mem::replace(&mut self.plan, Arc::new(Plan::new(config)));
        let (now, plan) = (self.checker.clock.now(), self.plan.clone());
        descriptors::provide(&plan.config);
        if !same_foundations(&before.config, &plan.config) {
            warn!("a change of `store:`, `listen:` or `timeout:` takes effect at the next start");
        }
        // A visit under way was planned by the old configuration; until it is back its tenant keeps its place, so that a tenant
        // that is removed and added again is not visited twice at once.
        self.outdated.extend(self.queue.taken().cloned());
        let gone = before.config.tenants.keys().filter(|id| !plan.config.tenants.contains_key(*id));
        for id in gone.filter(|id| !self.outdated.contains(*id)) {
            self.queue.remove(id);
        }
        self.enter_unknown(now);
        // Somebody is at work: who waited for people is asked immediately.
        let backed_off = std::mem::take(&mut self.backed_off);
        let at = |id: &TenantId, tenant| if backed_off.contains(id) { now } else { next_due(&plan, tenant, now) };
        self.queue.bring_forward(|id| Some(at(id, plan.config.tenants.get(id)?)));
        self.orphans_at = Some(now);
        crash_point::reach(CrashPoint::ReloadApplied);
    }

    /// Ends alerts whose rule, tenant or score is no longer configured, once after the start and after each reload.
    async fn end_orphans(&mut self) {
        let now = self.checker.clock.now();
        if self.orphans_at.is_none_or(|at| at > now) {
            return;
        }
        let (config, lead) = (&self.plan.config, self.part.lead());
        if self.part.leads() && (lead.is_none() || !self.part.agrees()) {
            // What is missing here may be what another replica has just got.
            return;
        }
        self.orphans_at = self.part.looks_again_at(now);
        let found = match lead {
            Some(_tenure) => orphans::end(&self.checker, &self.dispatcher, config, &self.outdated, now).await,
            None => {
                orphans::escalating(self.checker.store.as_ref(), config).await.map(|tenants| (BTreeSet::new(), tenants))
            }
        };
        match found {
            Ok((channels, escalating)) => {
                crash_point::reach(CrashPoint::OrphansEnded);
                for tenant in &escalating {
                    self.queue.wake(tenant);
                }
                for channel in &channels {
                    self.dispatcher.wake(channel);
                }
            }
            Err(error) => {
                error!(%error, "alerts of removed rules and tenants, and held deliveries, could not be re-evaluated; \
                    trying again");
                self.orphans_at = Some(now.plus(STORE_TROUBLE_WAIT));
            }
        }
    }

    fn put_back(&mut self, back: Back) {
        let tenant = match &back {
            Back::Beside { tenant, wake_at } => return self.queue.put_beside(tenant, *wake_at),
            Back::Due { due, .. } => &due.tenant,
            Back::Again(tenant) => tenant,
        };
        let now = self.checker.clock.now();
        let is_outdated = self.outdated.remove(tenant);
        if is_outdated {
            self.orphans_at = Some(now);
        }
        match &back {
            Back::Due { is_backed_off: true, .. } => drop(self.backed_off.insert(tenant.clone())),
            _ => drop(self.backed_off.remove(tenant)),
        }
        match back {
            // A tenant that is no longer configured, or is another replica's, does not come back.
            _ if !self.is_ours(tenant) => self.queue.remove(tenant),
            Back::Due { due, turn, is_backed_off: true } if !is_outdated => self.enter_backed_off(due, turn, now),
            Back::Due { due, .. } => self.enter(due, now),
            Back::Again(tenant) => self.queue.put_again(&tenant, now),
            Back::Beside { .. } => {}
        }
    }

    /// A clock that has gone back must not leave everybody waiting for a time that is far away again.
    fn mind_the_clock(&mut self) {
        let now = self.checker.clock.now();
        drop(self.checker.downtimes.look(&self.checker.clock));
        if now < self.last_seen.minus(Duration::from_secs(2)) {
            info!(
                by = format_duration(self.last_seen.since(now)),
                "the clock has gone back; due times are recalculated"
            );
            let plan = self.plan.clone();
            let latest = |id: &TenantId| Some(next_due(&plan, plan.config.tenants.get(id)?, now));
            self.queue.bring_forward(latest);
            self.queue.bring_forward_taken(latest);
            self.orphans_at = self.orphans_at.map(|at| at.min(now));
        }
        self.last_seen = now;
        self.health.scheduler_ticked(now);
    }

    /// Starts visits as long as somebody is due and there is a place.
    async fn start_due(&mut self) {
        while !self.shutdown.is_cancelled() {
            let now = self.checker.clock.now();
            if self.queue.next_at().is_none_or(|next_at| next_at > now) {
                return;
            }
            let mut places = Vec::new();
            while places.len() < BATCH_MAX
                && let Ok(place) = self.lanes.all.clone().try_acquire_owned()
            {
                places.push(place);
            }
            if places.is_empty() {
                return;
            }
            let due = std::iter::from_fn(|| self.queue.take(now)).take(places.len());
            let turns: Vec<_> = due.map(|(tenant, turn)| (tenant, Some(turn))).collect();
            if turns.is_empty() {
                return;
            }
            self.start_batch(turns, places).await;
        }
    }

    /// Looks at the alerts of tenants whose check has long been under way. What it waits for, such as a secret on a disk that does
    /// not answer, must not keep us from seeing that they can't be read.
    async fn start_beside(&mut self) {
        let now = self.checker.clock.now();
        let mut turns = Vec::new();
        let mut places = Vec::new();
        while let Ok(place) = self.lanes.beside.clone().try_acquire_owned()
            && let Some(tenant) = self.queue.take_beside(now)
        {
            turns.push((tenant, None));
            places.push(place);
        }
        if !turns.is_empty() {
            self.start_batch(turns, places).await;
        }
    }

    /// Loads what is known of these tenants, and starts a visit to each. Without a turn of its own, it is beside the one under way.
    async fn start_batch(&mut self, turns: Vec<(TenantId, Option<Turn>)>, places: Vec<OwnedSemaphorePermit>) {
        let ids: Vec<_> = turns.iter().map(|(id, _)| id.clone()).collect();
        let mut records: std::collections::HashMap<_, _> = match self.checker.store.load(&ids).await {
            Ok(records) => records.into_iter().map(|record| (record.tenant.clone(), record)).collect(),
            Err(error) => {
                error!(%error, "due tenants could not be loaded from the store");
                for (tenant, turn) in &turns {
                    self.put_off(tenant, *turn);
                }
                return;
            }
        };
        for ((id, turn), place) in turns.into_iter().zip(places) {
            let record = records.remove(&id);
            let Some(tenant) = self.plan.config.tenants.get(&id).cloned() else { continue };
            if record.as_ref().is_some_and(|record| !record.identity.is(tenant.account.entra)) {
                // An earlier visit has left something of the tenant that had this slug before.
                let now = self.checker.clock.now();
                self.queue.put_again(&id, now);
                self.orphans_at = Some(now);
                continue;
            }
            if turn.is_some() && !self.part.has(&tenant) {
                self.queue.remove(&id);
                continue;
            }
            self.start_visit(tenant, turn, record, place);
        }
    }

    /// Lets a tenant wait that can't be visited now.
    fn put_off(&mut self, tenant: &TenantId, turn: Option<Turn>) {
        let now = self.checker.clock.now();
        match turn {
            Some(_) => self.queue.put_again(tenant, now),
            None => self.queue.put_beside(tenant, Some(now.plus(STORE_TROUBLE_WAIT))),
        }
    }

    fn start_visit(
        &self,
        tenant: Arc<Tenant>,
        turn: Option<Turn>,
        record: Option<TenantRecord>,
        place: OwnedSemaphorePermit,
    ) {
        let was_slow = record
            .as_ref()
            .and_then(|record| record.health.failing.as_ref())
            .is_some_and(|failing| SLOW_LANE_CLASSES.contains(&failing.class.as_str()));
        let visit = One {
            checker: self.checker.clone(),
            dispatcher: self.dispatcher.clone(),
            plan: self.plan.clone(),
            slow_lane: (was_slow && turn.is_some()).then(|| (self.lanes.slow.clone(), self.lanes.all.clone())),
            back: self.back.0.clone(),
            shutdown: self.shutdown.clone(),
            division: self.part.division(),
        };
        self.visits.spawn(task::brief("check", visit.make(tenant, turn, record, place)));
    }
}
