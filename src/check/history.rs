//! Lets the windows of a tenant reach as far back as its rules look.
//!
//! The store keeps beside each series what the rules needed so far. A rule that looks further back, because it is new or was edited,
//! is judged on the store's whole history from its first evaluation on: what is missing is read from the archive once, and kept
//! with the next reading.

use std::collections::BTreeSet;

use super::{
    fetched::Fetched,
    series::{self, SUBJECTS_MAX},
};
use crate::{
    config::{Config, Tenant},
    domain::{ScoreKind, SeriesKey, Subject},
    store::{Checks, StoreError, TenantRecord},
};

/// Takes back the series of subjects that were gone and are read again: a fall while nobody could read them is a fall.
///
/// # Errors
/// [`StoreError`] when the store can't be read.
pub async fn revive(store: &dyn Checks, record: &mut TenantRecord, fetched: &[Fetched]) -> Result<(), StoreError> {
    let mut returned = Vec::new();
    for Fetched { score, result, .. } in fetched {
        let subjects = result.iter().flatten().filter_map(|reading| reading.subject.as_ref());
        returned.extend(unknown(record, *score, subjects).into_iter().map(|subject| (*score, subject)));
    }
    if !returned.is_empty() {
        record.series.extend(store.gone_series(&record.tenant, &returned).await?);
    }
    Ok(())
}

/// Those of the subjects that the store did not load, as far as there is room to watch them.
fn unknown<'a>(
    record: &TenantRecord,
    score: ScoreKind,
    subjects: impl Iterator<Item = &'a Subject>,
) -> BTreeSet<Subject> {
    let known = record.series.iter().filter(|series| series.score == score);
    let known: BTreeSet<&Subject> = known.filter_map(|series| series.subject.as_ref()).collect();
    let room = SUBJECTS_MAX.saturating_sub(known.len());
    subjects.filter(|subject| !known.contains(subject)).take(room).cloned().collect()
}

/// Completes the windows of what the store knows of a tenant.
///
/// # Errors
/// [`StoreError`] when the archive can't be read.
pub async fn complete(
    store: &dyn Checks,
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
