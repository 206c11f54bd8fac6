//! What has no place in the configuration any more is ended, once after the start and after each reload.

use std::{collections::BTreeSet, sync::Arc};

use super::roster;
use crate::{
    check::{Checker, close::close_orphans},
    config::Config,
    delivery::Dispatcher,
    domain::{ChannelName, TenantId, Timestamp},
    notify::HoldReason,
    store::{AlertFilter, Store, StoreError},
};

/// Ends alerts whose rule, tenant or score is no longer configured, and puts the routes into effect. Tenants in `outdated` are passed over.
/// Returns the channels that have something to send, and the tenants with an alert that escalates.
///
/// # Errors
/// [`StoreError`]: some may be done; doing it again does the rest.
pub(super) async fn end(
    checker: &Checker,
    dispatcher: &Dispatcher,
    config: &Arc<Config>,
    outdated: &BTreeSet<TenantId>,
    now: Timestamp,
) -> Result<(BTreeSet<ChannelName>, BTreeSet<TenantId>), StoreError> {
    let store = checker.store.as_ref();
    // A visit of the old configuration may have brought a tenant back whose slug is another's.
    let compared = roster::reconcile(store, config, now).await;
    // It may have held something for a window that is gone.
    let looked = store.look_again(HoldReason::Silence, now).await;
    let ended = close_orphans(store, config, outdated, now).await;
    let escalating = escalating(store, config).await;
    let done = compared.and(looked).and(dispatcher.reroute().await).and(ended);
    done.and_then(|channels| Ok((channels, escalating?)))
}

/// The tenants with a firing alert of a rule that escalates: a changed configuration may have changed when, and what was noted of it
/// may be older than the last start.
pub(super) async fn escalating(store: &dyn Store, config: &Config) -> Result<BTreeSet<TenantId>, StoreError> {
    let mut tenants = BTreeSet::new();
    for rule in config.rules.iter().filter(|rule| !rule.escalate.is_empty()) {
        let filter = AlertFilter { rule: Some(rule.name.clone()), firing_only: true, ..AlertFilter::default() };
        tenants.extend(store.alerts(&filter).await?.into_iter().map(|row| row.key.tenant));
    }
    Ok(tenants)
}
