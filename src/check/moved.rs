//! What a check has to do with fleet shifts: it notes which readings moved, and knows what shifts did to a series. Pure.

use std::time::Duration;

use super::series::Series;
use crate::{
    config::Config,
    domain::{ScoreKind, Subject, TenantId, Timestamp},
    notify::fleet::{Movement, movement::of_reading},
    rule::{Rule, ShiftedBy},
    store::TenantRecord,
};

/// The new readings of a series that differ from the one before by more than usual; none where fleet shifts are not looked for.
pub(super) fn of_series(
    config: &Config,
    tenant: &TenantId,
    series: &Series<'_>,
    interval: Duration,
    read_at: Timestamp,
) -> Vec<Movement> {
    let known = series.window.len() - series.fresh;
    // History that a source kept from before is news of nobody.
    let has_history = series.onboarded_at.is_some() && !series.is_known;
    if series.fresh == 0 || has_history {
        return Vec::new();
    }
    let movement = |index: usize| {
        let (window, after) = (&series.window[..index], series.window[index]);
        let (before, by) = of_reading(series.score.unit(), window, after)?;
        let (tenant, subject) = (tenant.clone(), series.subject.cloned());
        Some(Movement { tenant, score: series.score, subject, before, after, by, read_at, interval })
    };
    let moved: Vec<Movement> = (known..series.window.len()).filter_map(movement).collect();
    // Asked last: nearly no reading moves.
    if moved.is_empty() || !config.watches(series.score) { Vec::new() } else { moved }
}

/// What known fleet shifts did to a series, oldest first, as far as the rule takes part in them. `score`: `None` for an alert of
/// no series.
pub(super) fn shifts(
    record: Option<&TenantRecord>,
    rule: &Rule,
    score: Option<ScoreKind>,
    subject: Option<&Subject>,
) -> Vec<ShiftedBy> {
    let Some(score) = score else { return Vec::new() };
    let shifted = record.filter(|_| rule.fleet).map_or(&[][..], |record| record.shifted.as_slice());
    shifted.iter().filter(|one| one.is_of(score, subject)).map(|one| one.shifted_by).collect()
}
