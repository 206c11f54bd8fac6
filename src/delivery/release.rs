//! What was held is looked at when its time has come, or what held it may be gone: sent, carried, withheld, or held further.

use std::{collections::BTreeSet, sync::Arc};

use tracing::info;

use super::{dispatch::Dispatcher, fleet};
use crate::{
    config::Config,
    domain::{Subject, TenantId, Timestamp},
    notify::{
        DeliveryId, Hold, HoldReason, Silence,
        release::{Fate, Run, Step, decide},
        silence::About,
    },
    store::{AlertRecord, StoreError, TenantRecord},
};

/// Most looks one after the other; what is left then is looked at by the next sweep.
const LOOKS_MAX: usize = 100;
/// Runs that are looked at together, but for those of a fleet shift that is told.
const RUNS_MAX: usize = 200;
/// So many alerts go along with the notices of a shift; what is above is explained by them afterwards.
const MEMBERS_MAX: usize = 100_000;
/// Most tenants that are loaded together.
const TENANTS_MAX: usize = 128;

impl Dispatcher {
    /// Decides on everything that was held and is due. What is sent then is queued; its channels are busy.
    ///
    /// # Errors
    /// [`StoreError`]: what was not decided stays held.
    pub(super) async fn release(&self, fleet: Stragglers) -> Result<(), StoreError> {
        for _ in 0..LOOKS_MAX {
            let now = self.clock.now();
            let tells = fleet::is_any_due(self, fleet, now).await?;
            let mut runs = self.store.held_due(now, if tells { MEMBERS_MAX } else { RUNS_MAX }).await?;
            if runs.is_empty() {
                break;
            }
            self.hold_against_alerts(&mut runs).await?;
            let config = self.config.borrow().clone();
            let silences = self.store.silences(Some(now)).await?;
            // What a silence held may be due to a shift as well.
            let is_suspect = |run: &&Run| {
                let waited = run.why() == Some(HoldReason::Fleet);
                (waited || config.held_for_the_fleet(&run.newest, now).is_some())
                    && covered(&config, &silences, run, now).is_none()
            };
            let (suspects, others): (Vec<&Run>, Vec<&Run>) = runs.iter().partition(is_suspect);
            let verdicts = fleet::decide_all(self, &config, &suspects, fleet, now).await?;
            let mut decided = verdicts.fates;
            decided.extend(others.into_iter().map(|run| (run, fates(&config, &silences, run, now))));
            for (run, fates) in &decided {
                tell_log(run, fates);
            }
            let decided: Vec<_> = decided.into_iter().map(|(_, fates)| fates).collect();
            let holds = decided.iter().flatten().any(|(_, fate)| matches!(fate, Fate::Hold(_)));
            let taken = self.store.release(decided, now).await? + u64::from(verdicts.has_told);
            // Whoever ended a silence or took a window away meanwhile let everything be looked at but what was only now held further.
            let is_same = Arc::ptr_eq(&config, &self.config.borrow());
            if holds && (!is_same || self.store.silences(Some(now)).await? != silences) {
                self.store.look_again(HoldReason::Silence, now).await?;
            }
            // Its alerts may be due for a reminder from here on.
            let tenants: BTreeSet<_> = runs.iter().filter_map(tenant_of).collect();
            for tenant in tenants {
                self.told(tenant);
            }
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Notes what is so still: a score may have come back while what it did was held.
    async fn hold_against_alerts(&self, runs: &mut [Run]) -> Result<(), StoreError> {
        let may_pass = |run: &&mut Run| run.steps.iter().any(Step::may_pass);
        let mut doubtful: Vec<(TenantId, &mut Run)> =
            runs.iter_mut().filter(may_pass).filter_map(|run| Some((tenant_of(run)?, run))).collect();
        for some in doubtful.chunks_mut(TENANTS_MAX) {
            let tenants: BTreeSet<TenantId> = some.iter().map(|(tenant, _)| tenant.clone()).collect();
            let records = self.store.load(&Vec::from_iter(tenants)).await?;
            for (tenant, run) in some {
                let record = records.iter().find(|record| record.tenant == *tenant);
                let alert = record.and_then(|record| alert_of(record, run));
                // Of what the store does not know, what was said is all that there is.
                if let Some(alert) = alert {
                    run.hold_against(&alert.alert, alert.explained);
                }
            }
        }
        Ok(())
    }

    /// Lets everything that silences hold be decided on again, as what held it may be gone, and wakes the channels.
    ///
    /// # Errors
    /// [`StoreError`]: what was not decided stays held.
    pub async fn reconsider(&self) -> Result<(), StoreError> {
        self.store.look_again(HoldReason::Silence, self.clock.now()).await?;
        self.sweep().await;
        Ok(())
    }
}

/// Whose alert a run tells of.
fn tenant_of(run: &Run) -> Option<TenantId> {
    TenantId::parse(&run.newest.data.tenant.as_ref()?.id).ok()
}

/// The alert that a run tells of.
pub(super) fn alert_of<'a>(record: &'a TenantRecord, run: &Run) -> Option<&'a AlertRecord> {
    let (score, rule) = (run.newest.data.score.as_ref()?, run.newest.data.rule.as_ref()?);
    let is_it = |one: &&AlertRecord| {
        one.rule.as_str() == rule.name
            && one.score == (!score.all).then_some(score.kind)
            && one.subject.as_ref().map(Subject::as_str) == score.subject.as_deref()
    };
    record.alerts.iter().find(is_it)
}

/// Whether the rest of the fleet is still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stragglers {
    /// It is: a shift is told once they were.
    Expected,
    /// Everybody was read just now.
    Read,
}

/// Until when silences or maintenance windows cover what a run says.
fn covered(config: &Config, silences: &[Silence], run: &Run, now: Timestamp) -> Option<Timestamp> {
    let about = About::of(&run.newest).map(|about| {
        let tenant = config.tenants.get(about.tenant);
        About { labels: tenant.map_or(about.labels, |tenant| &tenant.labels), ..about }
    });
    config.covering(silences, &about?, now)
}

/// What becomes of a run by the configuration in force and these silences.
fn fates(config: &Config, silences: &[Silence], run: &Run, now: Timestamp) -> Vec<(DeliveryId, Fate)> {
    let until = covered(config, silences, run, now);
    let hold = until.map(|until| Hold { why: HoldReason::Silence, until });
    let keeps_state = config.channels.get(&run.channel).is_some_and(|channel| channel.kind.keeps_state());
    decide(run, keeps_state, hold)
}

fn tell_log(run: &Run, fates: &[(DeliveryId, Fate)]) {
    let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|(_, fate)| wanted(fate)).count();
    let (sent, withheld) = (count(|fate| *fate == Fate::Send), count(|fate| *fate == Fate::Withhold));
    let held = count(|fate| matches!(fate, Fate::Hold(_)));
    let facts = &run.newest.data;
    let tenant = facts.tenant.as_ref().map(|tenant| tenant.id.as_str());
    let rule = facts.rule.as_ref().map(|rule| rule.name.as_str());
    info!(channel = %run.channel, tenant, rule, sent, withheld, held, "looked at what was held");
}
