//! Notifies the operator of tenants that can't be read: each on its own, or many as one outage. What to send is decided
//! from the
//! store's own record of all tenants that fail, and has derived ids: a restart neither repeats nor forgets it.

use std::collections::HashMap;

use tracing::{info, warn};

use crate::{
    check::{
        blind,
        hold::hold,
        outage::{Decision, Fleet, KnownOutages, News, REMEMBERED, decide, notice},
    },
    config::Config,
    domain::{TenantId, Timestamp},
    rule::Rule,
    store::{CheckOutcome, Commit, Outage, Store, StoreError},
};

/// How often a tenant that a check changes meanwhile is evaluated again.
const CONFLICTS_MAX: u32 = 8;

/// Sends the reports that are due now, and shows checks which outages are ongoing.
///
/// # Errors
/// [`StoreError`]: some may have been reported; calling it again reports the rest.
pub async fn notify(
    store: &dyn Store,
    config: &Config,
    known: &KnownOutages,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(decision) = look(store, config, known, now).await? else { return Ok(()) };
    for (outage, news) in decision.changed {
        notify_outage(store, config, outage, news.as_ref(), now).await?;
    }
    let Some(rule) = blind::operator_rule(&config.operator) else { return Ok(()) };
    for tenant in &decision.alone {
        notify_alone(store, config, tenant, &rule, now).await?;
    }
    Ok(())
}

/// Shows checks which outages are ongoing, and returns what is to be reported now. `None`: nothing ever is.
///
/// # Errors
/// [`StoreError`].
pub async fn look(
    store: &dyn Store,
    config: &Config,
    known: &KnownOutages,
    now: Timestamp,
) -> Result<Option<Decision>, StoreError> {
    let Some(name) = blind::operator_rule_name() else { return Ok(None) };
    let failing = store.failing(&name).await?;
    let outages = store.outages(now.minus(REMEMBERED)).await?;
    let mut checked = HashMap::new();
    if (Fleet { config, failing: &failing, outages: &outages, checked: &checked }).needs_witnesses() {
        checked.extend(store.checked().await?);
    }
    let decision = decide(Fleet { config, failing: &failing, outages: &outages, checked: &checked }, now);
    known.set(decision.causes.clone());
    Ok(Some(decision))
}

async fn notify_outage(
    store: &dyn Store,
    config: &Config,
    outage: Outage,
    news: Option<&News>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (cause, tenants) = (outage.cause.as_str(), outage.tenants.len());
    match news {
        Some(News::Began { class, .. }) => warn!(cause, tenants, class, since = %outage.since, "an outage is reported"),
        Some(News::Over { .. }) => info!(cause, tenants, since = %outage.since, "an outage is over"),
        None => {}
    }
    let notified = news.map(|news| notice::notices(store.identity(), config, &outage, news, now)).unwrap_or_default();
    store.record_outage(outage, notified, now).await
}

/// Reports one tenant on its own. If checks keep changing its record, the next call decides.
async fn notify_alone(
    store: &dyn Store,
    config: &Config,
    id: &TenantId,
    rule: &Rule,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(tenant) = config.tenants.get(id) else { return Ok(()) };
    // A check may be faster; then it is evaluated again as it left it.
    for _ in 0..CONFLICTS_MAX {
        let Some(record) = store.load(std::slice::from_ref(id)).await?.pop() else { return Ok(()) };
        if !record.identity.is(tenant.account.entra) {
            return Ok(());
        }
        let Some(new) = blind::alone(store.origin(), config, tenant, rule, &record, now) else { return Ok(()) };
        let mut outcome = CheckOutcome {
            tenant: id.clone(),
            identity: record.identity,
            expected_version: Some(record.version),
            health: record.health,
            series: Vec::new(),
            alerts: Vec::new(),
            movements: Vec::new(),
            excluded: None,
            recommendations: Vec::new(),
            averages: None,
            notifications: vec![new],
            now,
        };
        let held = hold(&mut outcome, store, config).await?;
        if store.commit(outcome).await? == Commit::Done {
            held.confirm(store).await?;
            break;
        }
    }
    Ok(())
}
