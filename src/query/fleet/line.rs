//! A tenant as lists of the fleet compare it. Of the thousands of tenants, a [`FleetLine`] is built only for those that are shown.

use std::sync::Arc;

use super::{AlertCounts, FleetLine, FleetScore, Freshness, memory::Known};
use crate::{
    domain::{Labels, ScoreKind, TenantId},
    store::TenantLine,
};

/// A tenant as lists of the fleet compare it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: TenantId,
    pub(super) name: Arc<str>,
    pub(super) labels: Arc<Labels>,
    /// Its scores with a single value, in the order of the documentation; medians, averages and points are filled in only when it is shown.
    pub(super) scores: Arc<[FleetScore]>,
    pub(super) alerts: AlertCounts,
    pub(super) freshness: Freshness,
    /// As the store has it; `None`: the store knows no such tenant, or another one that had its id before.
    pub(super) found: Option<TenantLine>,
    /// What is remembered of its samples.
    pub(super) known: Option<Arc<Known>>,
    /// The greatest share that one of its scores lost in a day on its own account, so that different scores can be compared.
    pub(super) lost: Option<f64>,
    /// The same with what fleet shifts account for.
    pub(super) lost_by_any: Option<f64>,
}

impl Line {
    /// Its score of that kind.
    pub(super) fn score(&self, kind: ScoreKind) -> Option<&FleetScore> {
        self.scores.iter().find(|score| score.kind == kind)
    }

    /// With what is computed of its scores.
    pub(super) fn measured(mut self) -> Self {
        self.lost = share(&self.scores, FleetScore::own_day);
        self.lost_by_any = share(&self.scores, |score| score.day);
        self
    }

    /// As people see it, beside the medians.
    pub(super) fn shown(&self, median: impl Fn(ScoreKind) -> Option<f64>) -> FleetLine {
        let mut scores = self.scores.to_vec();
        for score in &mut scores {
            score.from_median = median(score.kind).map(|median| score.value - median);
            if let Some(known) = &self.known {
                score.draw(known.samples(score.kind));
            }
        }
        let found = self.found.as_ref();
        FleetLine {
            id: self.id.clone(),
            name: self.name.clone(),
            labels: self.labels.clone(),
            scores,
            alerts: self.alerts,
            freshness: self.freshness,
            checked_at: found.and_then(|line| line.checked_at),
            next_check_at: found.map(|line| line.next_due_at),
            failing: found.and_then(|line| line.failing.clone()),
        }
    }
}

/// The greatest share that one of these scores lost by such a change.
fn share(scores: &[FleetScore], change: impl Fn(&FleetScore) -> Option<f64>) -> Option<f64> {
    let shares = scores.iter().filter_map(|score| Some(score.loss(change(score)?) / score.value.abs().max(1.0)));
    shares.max_by(f64::total_cmp)
}
