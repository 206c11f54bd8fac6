//! What was held is reviewed when its time has come, or what held it may be gone: sent, merged, suppressed, or held further.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use tracing::info;

use super::{
    context::Context,
    fleet::{self, FleetRead, Groups, alert_of},
};
use crate::{
    config::Config,
    domain::{TenantId, Timestamp},
    notify::{
        DeliveryId, Hold, HoldReason, Silence,
        fleet::Decidable,
        release::{Decision, HeldGroup, decide},
        silence::MatchTarget,
    },
    store::{StoreError, TenantRecord},
};

/// Most looks one after the other; what is left then is reviewed by the next sweep.
const LOOKS_MAX: usize = 100;
/// Runs that are reviewed together: what one message says must be seen together.
const RUNS_MAX: usize = 100_000;
/// Most tenants that are loaded together.
const TENANTS_MAX: usize = 128;

/// Decides on everything that was held and is due. What is sent then is queued; its channels are busy.
///
/// # Errors
/// [`StoreError`]: what was not decided stays held.
pub(super) async fn release(context: &Context, fleet_read: FleetRead) -> Result<(), StoreError> {
    for _ in 0..LOOKS_MAX {
        let now = context.clock.now();
        let config = context.config.borrow().clone();
        let outlook = fleet::find(context, &config, fleet_read, now).await?;
        // What a shift has to do with is decided with it, though more is waited for.
        let looked_at = if outlook.found.is_empty() { outlook.decidable } else { Decidable::ALL };
        let mut runs = context.store.held_decidable(now, looked_at, RUNS_MAX).await?;
        if runs.is_empty() {
            break;
        }
        let records = records_of(context, &runs).await?;
        hold_against(&mut runs, &records);
        let silences = context.store.silences(Some(now)).await?;
        let mut groups = Groups::new(context, &config, now);
        let mut decided: Vec<(&HeldGroup, Vec<(DeliveryId, Decision)>)> = Vec::with_capacity(runs.len());
        for run in &runs {
            let (is_covered, fates) = fates(&config, &silences, run, now);
            let record = run.envelope.tenant.as_ref().and_then(|tenant| records.get(tenant)).filter(|_| !is_covered);
            decided.extend(groups.take(run, record, fates, &outlook).map(|fates| (run, fates)));
        }
        let (alone, has_sent) = groups.send().await?;
        decided.extend(alone);
        for (run, fates) in &decided {
            log_outcome(run, fates);
        }
        let decided: Vec<_> = decided.into_iter().map(|(_, fates)| fates).collect();
        let holds = decided.iter().flatten().any(|(_, fate)| matches!(fate, Decision::Hold(_)));
        let taken = context.store.release(decided, now).await? + u64::from(has_sent);
        // Ending a silence or removing a window re-evaluated everything except what has only just been held again.
        let is_same = Arc::ptr_eq(&config, &context.config.borrow());
        if holds && (!is_same || context.store.silences(Some(now)).await? != silences) {
            context.store.look_again(HoldReason::Silence, now).await?;
        }
        // Its alerts may be due for a reminder from here on.
        let tenants: BTreeSet<_> = runs.iter().filter_map(|run| run.envelope.tenant.clone()).collect();
        for tenant in tenants {
            context.report_settled(tenant);
        }
        if taken == 0 {
            break;
        }
    }
    Ok(())
}

/// What is known of the tenants of these runs.
async fn records_of(context: &Context, runs: &[HeldGroup]) -> Result<HashMap<TenantId, TenantRecord>, StoreError> {
    let tenants: BTreeSet<TenantId> = runs.iter().filter_map(|run| run.envelope.tenant.clone()).collect();
    let mut records = HashMap::with_capacity(tenants.len());
    for some in Vec::from_iter(tenants).chunks(TENANTS_MAX) {
        for mut record in context.store.load(some).await? {
            // Of thousands of tenants only what is looked at is kept.
            record.series.clear();
            records.insert(record.tenant.clone(), record);
        }
    }
    Ok(records)
}

/// Until when silences or maintenance windows cover what a run says.
fn covered(config: &Config, silences: &[Silence], run: &HeldGroup, now: Timestamp) -> Option<Timestamp> {
    let configured = run.envelope.tenant.as_ref().and_then(|tenant| config.tenants.get(tenant));
    let noted = run.newest.data.tenant.as_ref().map(|tenant| &tenant.labels);
    let target = MatchTarget::of(&run.envelope, configured.map(|tenant| tenant.labels.as_ref()).or(noted)?)?;
    config.covering(silences, &target, now)
}

/// What becomes of a run by the configuration in force and these silences, and whether they cover it.
fn fates(
    config: &Config,
    silences: &[Silence],
    run: &HeldGroup,
    now: Timestamp,
) -> (bool, Vec<(DeliveryId, Decision)>) {
    let until = covered(config, silences, run, now);
    let hold = until.map(|until| Hold { why: HoldReason::Silence, until });
    let keeps_state = config.channels.get(&run.channel).is_some_and(|channel| channel.kind.keeps_state());
    (hold.is_some(), decide(run, keeps_state, hold))
}

/// Notes what is so still: a score may have come back while what it did was held. Of an alert that the store does not know, what
/// was said is all that there is.
fn hold_against(runs: &mut [HeldGroup], records: &HashMap<TenantId, TenantRecord>) {
    for run in runs.iter_mut() {
        let record = run.envelope.tenant.as_ref().and_then(|tenant| records.get(tenant));
        if let Some(alert) = record.and_then(|record| alert_of(record, run)) {
            run.hold_against(&alert.alert, alert.is_acknowledged());
        }
    }
}

fn log_outcome(run: &HeldGroup, fates: &[(DeliveryId, Decision)]) {
    let count = |wanted: fn(&Decision) -> bool| fates.iter().filter(|(_, fate)| wanted(fate)).count();
    let (sent, suppressed) = (count(|fate| *fate == Decision::Send), count(|fate| *fate == Decision::Suppress));
    let held = count(|fate| matches!(fate, Decision::Hold(_)));
    let tenant = run.envelope.tenant.as_ref().map(TenantId::as_str);
    let rule = run.envelope.alert.as_ref().map(|alert| alert.rule.as_str());
    info!(channel = %run.channel, tenant, rule, sent, suppressed, held, "looked at what was held");
}
