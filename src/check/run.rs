//! Visits a tenant: fetch, judge, ask for reasons, commit. A conflict at the commit is judged again on what is there now, with the
//! same readings and the same answers.

mod controls;
mod gather;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use self::controls::Wanted;
use super::{
    backed_off,
    downtime::Downtimes,
    due::Turn,
    history,
    hold::hold,
    judge::{Failure, Fetched, Partly, Setting, judge},
    outage::{KnownOutages, gather::Gathering},
    plan::{Plan, next_due},
    reason,
};
use crate::{
    clock::Clock,
    config::Tenant,
    crash_point::{self, CrashPoint},
    domain::{Averages, ChannelName, ControlsRead, ScoreKind, Timestamp, format_duration},
    microsoft::{FailureClass, FetchError, Microsoft, PartlyRead, Polled},
    store::{CheckOutcome, Commit, Due, Store, StoreError, TenantRecord},
    telemetry::{Metrics, Traced},
};

/// How often a check is judged again before it gives way; conflicts come from people's commands and are rare.
const CONFLICTS_MAX: u32 = 8;

/// Requests that one score takes at worst: a token and a page, each twice.
const CALLS_PER_SCORE: u32 = 4;
/// What lies between two requests at worst: the pause before a second try.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// What reading one credential takes at worst: a program that a person gave a minute, and its turn among others.
const CREDENTIAL_WITHIN: Duration = Duration::from_secs(70);

/// The outcome of a check that read every score.
const OK: &str = "ok";
/// The outcome of a check whose result could not be stored; it is repeated.
const NOT_COMMITTED: &str = "not-committed";

/// Visits tenants. Cheap to clone.
#[derive(Clone)]
pub struct Checker {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The client for Microsoft's APIs.
    pub microsoft: Microsoft,
    /// Where the current time comes from.
    pub clock: Clock,
    /// The counters of the service.
    pub metrics: Metrics,
    /// When the service itself was down.
    pub downtimes: Downtimes,
    /// The outages that go on, and those that were over a short time ago.
    pub outages: KnownOutages,
    /// What is gathered of them for one message.
    pub gathering: Gathering,
}

/// What a check read.
#[derive(Default)]
struct Read {
    fetched: Vec<Fetched>,
    /// About controls that are not to count; `None`: nothing.
    controls: Option<ControlsRead>,
    /// What Microsoft says of other tenants; `None`: nothing new.
    averages: Option<Averages>,
}

/// What came of a visit.
#[derive(Debug)]
pub struct Visit {
    /// When the tenant is due again.
    pub due: Due,
    /// What each score's call gave; empty when only time had passed.
    pub fetched: Vec<Fetched>,
    /// Channels that have something new to send.
    pub channels: Vec<ChannelName>,
    /// Whether the next check is later than the schedule says: nothing but people can help.
    pub is_backed_off: bool,
}

impl Visit {
    /// The result of its calls: [`OK`], or the class of the last failure.
    fn outcome(&self) -> &'static str {
        let failure = self.fetched.iter().rev().find_map(|fetched| fetched.result.as_ref().err());
        failure.map_or(OK, |failure| failure.class)
    }
}

impl Checker {
    /// Visits one tenant whose turn has come, from `record`, what the store knew of it. `None`: shutdown came first.
    ///
    /// # Errors
    /// [`StoreError`] when the outcome could not be committed: nothing of it is kept, and the tenant stays due.
    pub async fn visit(
        &self,
        plan: &Plan,
        tenant: &Tenant,
        turn: Turn,
        record: Option<TenantRecord>,
        shutdown: &CancellationToken,
    ) -> Result<Option<Visit>, StoreError> {
        let span = match turn {
            Turn::Check { .. } => Traced::check(&tenant.id, &tenant.scores),
            Turn::Wake => Traced::nothing(),
        };
        let read = match turn {
            Turn::Check { due_at } => {
                // Nothing is lost by leaving early: what is not committed is due again after the start.
                match shutdown.run_until_cancelled(self.fetch(plan, tenant, record.as_ref(), due_at)).await {
                    Some(read) => read,
                    None => return Ok(None),
                }
            }
            Turn::Wake => Read::default(),
        };
        let visit = self.settle(plan, tenant, turn, record, read, shutdown).await;
        let outcome = visit.as_ref().map_or(NOT_COMMITTED, Visit::outcome);
        span.end(outcome, outcome != OK);
        visit.map(Some)
    }

    /// Asks for each score that the tenant is polled for, and for what is to be known of excluded controls.
    async fn fetch(&self, plan: &Plan, tenant: &Tenant, record: Option<&TenantRecord>, due_at: Timestamp) -> Read {
        let lateness = self.clock.now().since(due_at);
        self.store.division().note_lateness(lateness);
        let next_check_at = next_due(plan, tenant, self.clock.now());
        let mut fetched = Vec::with_capacity(tenant.scores.len());
        let mut outcome = OK;
        let wanted = Wanted::of(plan, tenant, record, self.clock.now());
        let newest = |score| newest(record.filter(|_| !wanted.asks_for_all(score))?, score);
        let with_controls = wanted.asks();
        let within = check_within(plan.config.timeout, tenant);
        // Each call has a deadline of its own. This one makes sure that nothing else keeps the check's place for ever.
        let answers = tokio::select! {
            biased;
            answers = self.microsoft.poll(&tenant.account, &tenant.scores, newest, with_controls, next_check_at) => answers,
            () = self.clock.sleep(within) => {
                let what = format!("the check was given up after {}", format_duration(within));
                all_failed(tenant, FailureClass::CheckTimeout, &what)
            }
        };
        let (mut records, mut averages) = (BTreeMap::new(), None);
        for Polled { score, result, partly, records: read, averages: of_others } in answers {
            records.extend(read);
            averages = averages.or(of_others);
            let partly = partly.map(|PartlyRead { error, subjects }| {
                let (class, hint) = (error.class.as_str(), error.hint.clone());
                warn!(
                    tenant = %tenant.id, score = %score, class, hint = hint.as_deref(), subjects = subjects.len(),
                    "part of the answer is not a reading: {}", error.what
                );
                Partly { failure: Failure { class, hint }, subjects }
            });
            let result = match result {
                Ok(readings) => Ok(readings),
                Err(error) => {
                    let (class, hint) = (error.class.as_str(), error.hint.clone());
                    outcome = class;
                    let consent = error.class.needs_consent().then(|| tenant.account.consent_link());
                    warn!(
                        tenant = %tenant.id, score = %score, class, hint = hint.as_deref(), consent = consent.as_deref(),
                        correlation = error.correlation.as_deref(), "check failed: {}", error.what
                    );
                    Err(Failure { class, hint })
                }
            };
            fetched.push(Fetched { score, result, partly });
        }
        self.metrics.check_finished(outcome, lateness);
        crash_point::reach(CrashPoint::Fetched);
        let controls = Box::pin(self.controls(tenant, wanted, records, next_check_at)).await;
        Read { fetched, controls, averages }
    }

    /// Records that the check of a tenant failed for a reason of our own.
    ///
    /// # Errors
    /// [`StoreError`] when that could not be committed.
    pub async fn fail(
        &self,
        plan: &Plan,
        tenant: &Tenant,
        class: FailureClass,
        shutdown: &CancellationToken,
    ) -> Result<Visit, StoreError> {
        self.metrics.check_finished(class.as_str(), Duration::ZERO);
        let hint = || class.hint().map(Into::into);
        let failed = |score: &ScoreKind| {
            let result = Err(Failure { class: class.as_str(), hint: hint() });
            Fetched { score: *score, result, partly: None }
        };
        let fetched = tenant.scores.iter().map(failed).collect();
        let record = self.store.load(std::slice::from_ref(&tenant.id)).await?.pop();
        self.settle(
            plan,
            tenant,
            Turn::Check { due_at: self.clock.now() },
            record,
            Read { fetched, ..Read::default() },
            shutdown,
        )
        .await
    }

    /// Judges and commits, again and again as long as somebody else was faster. What an alert's reason needs is asked for once.
    async fn settle(
        &self,
        plan: &Plan,
        tenant: &Tenant,
        turn: Turn,
        mut record: Option<TenantRecord>,
        Read { fetched, controls, averages }: Read,
        shutdown: &CancellationToken,
    ) -> Result<Visit, StoreError> {
        let mut evidence = None;
        let was_known = record.is_some();
        for _ in 0..CONFLICTS_MAX {
            // A visit may outlive its tenant: what is erased stays erased, and what belongs to another is left alone.
            let is_it = |record: &TenantRecord| record.identity.is(tenant.account.entra);
            if !record.as_ref().map_or(!was_known, is_it) {
                return Err(StoreError::Failed(format!(
                    "what is known of tenant `{}` is gone or another's",
                    tenant.id
                )));
            }
            if let Some(record) = record.as_mut().filter(|_| !fetched.is_empty()) {
                history::revive(self.store.as_ref(), record, &fetched).await?;
                history::complete(self.store.as_ref(), &plan.config, tenant, record).await?;
            }
            let mut outcome = self.outcome(plan, tenant, turn, record.as_ref(), &fetched, controls.as_ref());
            outcome.averages = averages;
            if evidence.is_none() {
                let known = record.as_ref().map(|record| &record.excluded);
                let excluded = outcome.excluded.as_ref().or(known).cloned().unwrap_or_default();
                evidence = self.gather(tenant, &outcome, excluded, shutdown).await;
            }
            if let Some(evidence) = &evidence {
                reason::attach(&mut outcome, evidence);
            }
            let due = Due {
                tenant: tenant.id.clone(),
                next_due_at: outcome.health.next_due_at,
                wake_at: outcome.health.wake_at,
            };
            let is_backed_off = backed_off::is_backed_off(plan, tenant, &outcome.health);
            if turn == Turn::Wake && changes_nothing(&outcome, record.as_ref()) {
                return Ok(Visit { due, fetched, channels: Vec::new(), is_backed_off });
            }
            let held = hold(&mut outcome, self.store.as_ref(), &plan.config).await?;
            self.gathering.hold(&mut outcome, tenant, record.as_ref(), &self.outages.causes());
            let kinds: Vec<_> = outcome.notifications.iter().map(|new| new.notification.kind).collect();
            let channels = outcome.notifications.iter().flat_map(|new| new.channels.iter().cloned()).collect();
            match self.store.commit(outcome).await? {
                Commit::Done => {
                    crash_point::reach(CrashPoint::CheckCommitted);
                    held.confirm(self.store.as_ref()).await?;
                    for kind in kinds {
                        self.metrics.notification_made(kind.as_str());
                    }
                    return Ok(Visit { due, fetched, channels, is_backed_off });
                }
                Commit::Conflict => {
                    debug!(tenant = %tenant.id, "the tenant was changed meanwhile; judging again");
                    record = self.store.load(std::slice::from_ref(&tenant.id)).await?.pop();
                }
            }
        }
        error!(tenant = %tenant.id, "the check could not be committed: the tenant kept changing");
        Err(StoreError::Failed(format!("tenant `{}` kept changing", tenant.id)))
    }

    fn outcome(
        &self,
        plan: &Plan,
        tenant: &Tenant,
        turn: Turn,
        record: Option<&TenantRecord>,
        fetched: &[Fetched],
        controls: Option<&ControlsRead>,
    ) -> CheckOutcome {
        let now = self.clock.now();
        let outages = self.outages.causes();
        let downtimes = self.downtimes.look(&self.clock);
        let setting = Setting {
            config: &plan.config,
            operator_rule: plan.operator_rule.as_ref(),
            tenant,
            store: self.store.origin(),
            downtimes: &downtimes,
            outages: &outages.open,
            controls,
        };
        let next_due_at = match (turn, record) {
            (Turn::Wake, Some(record)) => record.health.next_due_at,
            _ => backed_off::next_due(plan, tenant, record.map(|record| &record.health), fetched, now),
        };
        judge(setting, record, fetched, next_due_at, now)
    }
}

/// The time of the newest sample of a score.
fn newest(record: &TenantRecord, score: ScoreKind) -> Option<Timestamp> {
    let of_score = record.series.iter().filter(|series| series.score == score);
    of_score.filter_map(|series| series.window.last()).map(|sample| sample.at).max()
}

/// The longest that a check may take until everything has been asked for.
fn check_within(timeout: Duration, tenant: &Tenant) -> Duration {
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let calls = CALLS_PER_SCORE.saturating_mul(count(tenant.scores.len()));
    let credentials = CREDENTIAL_WITHIN.saturating_mul(count(tenant.account.app.materials.len()));
    timeout.saturating_add(PAUSE_MAX).saturating_mul(calls).saturating_add(credentials)
}

/// The same failure for every score.
fn all_failed(tenant: &Tenant, class: FailureClass, what: &str) -> Vec<Polled> {
    let failed = || FetchError {
        tenant: tenant.id.clone(),
        class,
        what: what.to_owned(),
        entra_code: None,
        retry_after: None,
        correlation: None,
        hint: class.hint().map(Into::into),
    };
    tenant
        .scores
        .iter()
        .map(|score| Polled {
            score: *score,
            result: Err(failed()),
            partly: None,
            averages: None,
            records: BTreeMap::new(),
        })
        .collect()
}

fn changes_nothing(outcome: &CheckOutcome, record: Option<&TenantRecord>) -> bool {
    outcome.alerts.is_empty()
        && outcome.series.is_empty()
        && outcome.notifications.is_empty()
        && record.is_some_and(|record| record.health.wake_at == outcome.health.wake_at)
}
