//! What a replay is made from: rules, receivers, and what happened to each tenant.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    domain::{ChannelName, Labels, Sample, ScoreKind, Subject, TenantId, Timestamp},
    notify::{notification::TenantFacts, route::Fence},
    rule::Rule,
};

/// Which rules are replayed, and whom they may tell.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The rules, in the order of the configuration.
    pub rules: Vec<Arc<Rule>>,
    /// The channels, by name. A rule that names another tells nobody there.
    pub receivers: BTreeMap<ChannelName, Receiver>,
}

/// What a replay needs to know of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receiver {
    /// Which tenants it may show.
    pub fence: Fence,
    /// More messages than this, waiting for it, go out as one. `None`: its receiver keeps state of its own and is told each step.
    pub digest_over: Option<usize>,
    /// Least time between two sends.
    pub pace: Duration,
}

/// One tenant, and all that happened to it.
#[derive(Debug, Clone)]
pub struct Course {
    /// Who.
    pub tenant: TenantId,
    /// The display name.
    pub name: Arc<str>,
    /// By which rules and channels select it.
    pub labels: Arc<Labels>,
    /// Channels told besides the rules' own.
    pub notify: Vec<ChannelName>,
    /// The gap between two checks.
    pub poll_interval: Duration,
    /// What was read, by score.
    pub scores: Vec<ScoreCourse>,
    /// When the service itself was away, from and until, ordered by the beginning.
    pub away: Vec<(Timestamp, Timestamp)>,
    /// When the replay ends: reminders, expiries and silence up to then are told.
    pub until: Timestamp,
}

/// One score of a tenant.
#[derive(Debug, Clone)]
pub struct ScoreCourse {
    /// Which.
    pub score: ScoreKind,
    /// Its series, by subject; one without a subject where the kind has none.
    pub series: Vec<SeriesCourse>,
    /// Checks that gave no new reading, in time order.
    pub looks: Vec<Look>,
}

/// One series.
#[derive(Debug, Clone)]
pub struct SeriesCourse {
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// What was read, each later than the one before and read when it is dated.
    pub samples: Vec<Sample>,
    /// So many of the first samples were kept by the source from before it was first asked; they alert nobody.
    pub history: usize,
}

/// A check that gave no new reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// Whether the source gave its newest records once more. `false`: the check failed.
    pub is_good: bool,
}

impl Course {
    /// The tenant as notifications name it.
    #[must_use]
    pub fn facts(&self) -> TenantFacts {
        TenantFacts { id: self.tenant.to_string(), name: self.name.to_string(), labels: self.labels.as_ref().clone() }
    }
}

impl ScoreCourse {
    /// How many readings there are.
    #[must_use]
    pub fn readings(&self) -> usize {
        self.series.iter().map(|series| series.samples.len()).sum()
    }
}

/// The checks of a source that keeps records, between them: each gave the newest record once more, until the record was so old
/// that it proved nothing. `from`: the newest record; `next`: when another came, or the end.
#[must_use]
pub fn seen_again(score: ScoreKind, poll_interval: Duration, from: Timestamp, next: Timestamp) -> Vec<Look> {
    if score.record_interval().is_zero() || poll_interval.is_zero() {
        return Vec::new();
    }
    let end = next.min(from.plus(score.overdue_after()));
    let looks = std::iter::successors(Some(from.plus(poll_interval)), |at| Some(at.plus(poll_interval)));
    looks.take_while(|at| *at < end).map(|at| Look { at, is_good: true }).collect()
}
