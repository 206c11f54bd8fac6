//! Lets the windows of a tenant reach as far back as its rules look.
//!
//! The store keeps beside each series what the rules needed so far. A rule that looks further back, because it is new or was edited,
//! is judged on the store's whole history from its first evaluation on: what is missing is read from the archive once, and kept
//! with the next reading.

use super::series;
use crate::{
    config::{Config, Tenant},
    domain::SeriesKey,
    store::{Store, StoreError, TenantRecord},
};

/// Completes the windows of what the store knows of a tenant.
///
/// # Errors
/// [`StoreError`] when the archive can't be read.
pub async fn complete(
    store: &dyn Store,
    config: &Config,
    tenant: &Tenant,
    record: &mut TenantRecord,
) -> Result<(), StoreError> {
    for known in record.series.iter_mut().filter(|series| tenant.scores.contains(&series.score)) {
        let within = series::within(config, tenant, known.score);
        let Some(newest) = known.window.last().filter(|_| known.keep < within) else { continue };
        let key = SeriesKey { tenant: tenant.id.clone(), score: known.score, subject: known.subject.clone() };
        let since = newest.at.minus(within);
        let history = store.history(&key, since).await?;
        known.window.retain(|sample| sample.at < since);
        known.window.extend(history);
        known.keep = within;
    }
    Ok(())
}
