//! What a replay is made from: rules, receivers, and what happened to each tenant.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    domain::{ChannelName, Labels, Sample, ScoreKind, Subject, TenantId, Timestamp},
    notify::{
        Maintenance, Silence, fleet::FleetSettings, maintenance::covering, notification::TenantFacts, route::Audience,
        silence::MatchTarget,
    },
    rule::Rule,
};

/// Samples are kept so long, however soon rules forget.
const REACH_MIN: Duration = Duration::from_hours(24);

/// Which rules are replayed, and whom they may notify.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The rules, in the order of the configuration.
    pub rules: Vec<Arc<Rule>>,
    /// The channels, by name. A rule that names another notifies nobody there.
    pub receivers: BTreeMap<ChannelName, Receiver>,
    /// How long alerts wait for the rest of the fleet, and what makes a shift.
    pub fleet: FleetSettings,
    /// Times that come round, in which messages are suppressed.
    pub maintenance: Vec<Maintenance>,
    /// The same, made by hand.
    pub silences: Vec<Silence>,
}

impl Plan {
    /// How far back the samples of a score are kept for its rules: a store's window.
    #[must_use]
    pub fn reach(&self, score: ScoreKind) -> Duration {
        let judges = |rule: &&Arc<Rule>| rule.score.is_none_or(|judged| judged == score);
        let reaches =
            self.rules.iter().filter(judges).filter_map(|rule| rule.when.change()).map(|change| change.within);
        reaches.max().unwrap_or_default().saturating_add(score.record_interval().max(REACH_MIN))
    }

    /// Whether a channel is there and may show a tenant.
    #[must_use]
    pub fn shows(&self, channel: &ChannelName, history: &History) -> bool {
        let receiver = self.receivers.get(channel);
        receiver.is_some_and(|receiver| receiver.audience.admits(&history.tenant, &history.labels))
    }

    /// Until when silences and windows cover a rule's alerts of a tenant; `None`: nothing does.
    #[must_use]
    pub fn covered(
        &self,
        tenant: &TenantId,
        labels: &Labels,
        rule: &Rule,
        score: Option<ScoreKind>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if self.maintenance.is_empty() && self.silences.is_empty() {
            return None;
        }
        let target = MatchTarget {
            tenant: tenant.as_str(),
            labels,
            rule: rule.name.as_str(),
            score,
            severity: rule.severity,
            is_blindness: false,
        };
        covering(&self.maintenance, &self.silences, &target, now)
    }
}

/// What a replay needs to know of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receiver {
    /// Which tenants it may show.
    pub audience: Audience,
    /// More messages than this, waiting for it, go out as one. `None`: its receiver keeps state of its own and is sent each step.
    pub digest_over: Option<usize>,
    /// Whether what several rules say of one reading is one message.
    pub merges_readings: bool,
    /// Least time between two sends.
    pub pace: Duration,
}

/// One tenant, and all that happened to it.
#[derive(Debug, Clone)]
pub struct History {
    /// The tenant, by its slug.
    pub tenant: TenantId,
    /// The tenant's name as messages show it.
    pub name: Arc<str>,
    /// By which rules and channels select it.
    pub labels: Arc<Labels>,
    /// Channels notified in addition to the rules' own.
    pub notify: Vec<ChannelName>,
    /// The gap between two checks.
    pub poll_interval: Duration,
    /// What was read, by score.
    pub scores: Vec<ScoreHistory>,
    /// When the service itself was down, from and until, ordered by the beginning.
    pub downtimes: Vec<(Timestamp, Timestamp)>,
    /// When the replay ends: reminders, expiries and gaps up to then are reported.
    pub until: Timestamp,
}

/// One score of a tenant.
#[derive(Debug, Clone)]
pub struct ScoreHistory {
    /// The kind of score.
    pub score: ScoreKind,
    /// Its series, by subject; one without a subject where the kind has none.
    pub series: Vec<SeriesHistory>,
    /// Checks that gave no new reading, in time order.
    pub looks: Vec<Look>,
}

/// One series of readings.
#[derive(Debug, Clone)]
pub struct SeriesHistory {
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// What was read, each dated later than the one before.
    pub samples: Vec<Sample>,
    /// When each was read, in time order; empty: when it is dated. Only what keeps records has them late.
    pub read_at: Vec<Timestamp>,
    /// How many of the first samples were kept by the source from before it was first asked; they alert nobody.
    pub imported: usize,
    /// The average of all of Microsoft's tenants at the samples' times, in time order, as far as it is known; of what
    /// [has it](ScoreKind::has_witness).
    pub averages: Vec<Sample>,
}

/// A check that gave no new reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The time at which it happened.
    pub at: Timestamp,
    /// Whether the source gave its newest records once more. `false`: the check failed.
    pub is_good: bool,
}

impl History {
    /// The tenant as notifications name it.
    #[must_use]
    pub fn facts(&self) -> TenantFacts {
        TenantFacts {
            id: self.tenant.to_string(),
            tenant_id: None,
            name: self.name.to_string(),
            labels: self.labels.as_ref().clone(),
        }
    }
}

impl SeriesHistory {
    /// When the sample of that place was read; `None`: there is none.
    #[must_use]
    pub fn seen_at(&self, place: usize) -> Option<Timestamp> {
        let dated = self.samples.get(place)?.at;
        Some(self.read_at.get(place).copied().unwrap_or(dated))
    }

    /// Microsoft's average at that time.
    #[must_use]
    pub fn average_at(&self, at: Timestamp) -> Option<f64> {
        let place = self.averages.binary_search_by_key(&at, |average| average.at).ok()?;
        self.averages.get(place).map(|average| average.value)
    }

    /// How many of the samples were read until then.
    #[must_use]
    pub fn seen_by(&self, now: Timestamp) -> usize {
        if self.read_at.is_empty() {
            return self.samples.partition_point(|sample| sample.at <= now);
        }
        self.read_at.partition_point(|at| *at <= now).min(self.samples.len())
    }
}

impl ScoreHistory {
    /// How many readings there are.
    #[must_use]
    pub fn readings(&self) -> usize {
        self.series.iter().map(|series| series.samples.len()).sum()
    }
}

/// The checks of a source that keeps records, between them: each gave the newest record once more. `from`: the newest record;
/// `next`: when another came, or the end.
#[must_use]
pub fn seen_again(score: ScoreKind, poll_interval: Duration, from: Timestamp, next: Timestamp) -> Vec<Look> {
    if score.record_interval().is_zero() || poll_interval.is_zero() {
        return Vec::new();
    }
    let looks = std::iter::successors(Some(from.plus(poll_interval)), |at| Some(at.plus(poll_interval)));
    looks.take_while(|at| *at < next).map(|at| Look { at, is_good: true }).collect()
}
