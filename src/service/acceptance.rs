//! Alerts that a notice of a fleet shift said are accepted as the new level.

use tracing::info;

use crate::{
    check::close,
    config::Config,
    domain::Timestamp,
    store::{AlertFilter, Owed, Store, StoreError},
};

/// Accepts the alerts whose notices said so. Returns how many.
///
/// # Errors
/// [`StoreError`]: the rest is accepted when this is asked again.
pub async fn accept_owed(store: &dyn Store, config: &Config, now: Timestamp) -> Result<usize, StoreError> {
    let filter = AlertFilter { firing_only: true, owes: Some(Owed::Acceptance), ..AlertFilter::default() };
    let mut accepted = 0;
    for row in store.alerts(&filter).await? {
        if close::accept_covered(store, config, &row, now).await?.is_some() {
            info!(tenant = %row.key.tenant, rule = %row.key.rule, shift = row.shift, "accepted as the new level");
            accepted += 1;
        }
    }
    Ok(accepted)
}
