//! The state of an alert: one rule that holds for one tenant and subject. Everything that must survive a restart is in here.

use serde::{Deserialize, Serialize};

use super::{Condition, RuleName, Terms};
use crate::domain::{Sample, ScoreKind, Subject, TenantId, Timestamp};

/// The identity of an alert. Never a hash of a text: an edited rule keeps its alerts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AlertKey {
    /// The tenant that the score belongs to.
    pub tenant: TenantId,
    /// Which rule, by name.
    pub rule: RuleName,
    /// Which score; `None`: the whole tenant, as a `no_data` rule without `score:` judges it.
    pub score: Option<ScoreKind>,
    /// Which of several values of that score; always `None` for `no_data`, which judges whole scores.
    pub subject: Option<Subject>,
}

/// A time without a reading, between the readings at its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Gap {
    /// The last reading before it.
    pub from: Timestamp,
    /// The first reading after it.
    pub until: Timestamp,
}

/// A score that gives no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unread {
    /// The kind of score.
    pub score: ScoreKind,
    /// When its data was last read, by the wall clock.
    pub since: Timestamp,
}

/// An alert between two evaluations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Alert {
    /// Where in its life it is.
    pub state: AlertState,
    /// How often it has fired in all; grows by one each time it fires.
    pub generation: u64,
    /// How many notifications it has caused in this generation; grows by one with each.
    pub sequence: u64,
    /// Samples before this instant are not a baseline any more: their loss was accepted, or regained as far as the rule asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebased_at: Option<Timestamp>,
    /// How it ended, for as long as a fleet shift may turn out to be the reason; `drop` and `rise` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Box<Ended>>,
    /// How often it has changed lately.
    #[serde(default, skip_serializing_if = "Flapping::is_calm")]
    pub flapping: Flapping,
}

/// The end of an alert whose score recovered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ended {
    /// The reading that showed it.
    pub by: Sample,
    /// When that was judged.
    pub judged_at: Timestamp,
    /// How the alert fired until then.
    pub firing: Firing,
    /// What [`Alert::rebased_at`] was until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebased_at: Option<Timestamp>,
}

/// How often an alert has fired and recovered lately, and whether it was reported as unstable.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Flapping {
    /// When it fired or recovered, by the wall clock, oldest first; only as far back as its rule counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Timestamp>,
    /// It was reported as unstable, and nothing more is sent until it has been stable for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unstable: Option<Unstable>,
}

/// An alert that was reported as unstable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unstable {
    /// When it last fired or recovered, by the wall clock.
    pub changed_at: Timestamp,
    /// How it last fired; what the message is about that ends this, if it does not fire by then.
    pub fired: Firing,
}

impl Flapping {
    /// Whether nothing of it needs to be kept.
    #[must_use]
    pub const fn is_calm(&self) -> bool {
        self.changes.is_empty() && self.unstable.is_none()
    }
}

/// Where in its life an alert is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum AlertState {
    /// The condition does not hold.
    #[default]
    Inactive,
    /// The condition holds, but not yet for as long as the rule asks.
    Pending(Pending),
    /// The alert has been reported and is not over.
    Firing(Firing),
}

/// A condition that holds, but not yet long enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pending {
    /// The first reading at which it held.
    pub since: Timestamp,
    /// The newest reading at which it held.
    pub last_held: Timestamp,
    /// The condition that held. An edited one has not been held by the readings so far, so its time starts again.
    pub when: Condition,
    /// What it was measured against when it began, and the gap just before it; `drop` and `rise` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// What a pending `drop` or `rise` was measured against when it began.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Against {
    /// The baseline, and when the newest reading before was read.
    pub baseline: Sample,
    /// The gap that the change spans, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Firing {
    /// The first reading at which the condition held; for `no_data`, when the silence began.
    pub since: Timestamp,
    /// When it fired: the reading's source time, or for `no_data` the time of the evaluation.
    pub fired_at: Timestamp,
    /// What it was judged by when it fired, or by an edited rule since, once that held.
    pub terms: Terms,
    /// The baseline, frozen when it fired; `drop` and `rise` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Fleet shifts before this time are counted in the baseline; `None`: those before [`since`](Self::since).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<Timestamp>,
    /// The worst value reported so far, by which worsening is judged; `None` for `no_data`.
    #[serde(default, alias = "worst_told", skip_serializing_if = "Option::is_none")]
    pub worst_notified: Option<f64>,
    /// The time of the reading that gave it; `None`: an earlier version did not note it, and no shift moves the value.
    #[serde(default, alias = "worst_told_at", skip_serializing_if = "Option::is_none")]
    pub worst_notified_at: Option<Timestamp>,
    /// The worst value seen since it fired, by which `regained` is judged; `None` for `no_data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_seen: Option<f64>,
    /// The worst value reported before the newest worsening, as long as nobody was notified of that one: it counts only while it lasts.
    #[serde(default, alias = "untold", skip_serializing_if = "Option::is_none")]
    pub worst_before: Option<f64>,
    /// The time of the reading that gave that value; `None`: an earlier version did not note it.
    #[serde(default, alias = "untold_at", skip_serializing_if = "Option::is_none")]
    pub worst_before_at: Option<Timestamp>,
    /// The sequence number up to which worsenings were taken back: they were over before anybody was notified of them.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub taken_back: u64,
    /// The sequence number of the end that was taken back, because a fleet shift and no recovery had caused it.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub end_taken_back: u64,
    /// The gap in the readings that the change spans; `drop` and `rise` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
    /// The scores without data that the last notification listed, and that have given none since; `no_data` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// How far its escalation has come.
    #[serde(default, skip_serializing_if = "Escalated::is_blank")]
    pub escalated: Escalated,
}

/// How far the escalation of a firing has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Escalated {
    /// From when on its notification was sent, or could have been: nothing held it any more. The time without an acknowledgement
    /// counts from here. `None`: not yet, or a person has seen the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_from: Option<Timestamp>,
    /// How many of the rule's steps were taken.
    #[serde(default)]
    pub steps: u32,
}

impl Escalated {
    /// Whether nothing of it needs to be kept.
    #[must_use]
    pub const fn is_blank(&self) -> bool {
        self.counts_from.is_none() && self.steps == 0
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_none_yet(sequence: &u64) -> bool {
    *sequence == 0
}

impl Firing {
    /// The same with every level moved by so much.
    fn moved_by(&self, by: f64) -> Self {
        let moved = |level: Option<f64>| level.map(|level| level + by);
        Self {
            baseline: moved(self.baseline),
            worst_notified: moved(self.worst_notified),
            worst_seen: moved(self.worst_seen),
            worst_before: moved(self.worst_before),
            ..self.clone()
        }
    }
}

impl Alert {
    /// The alert measured in other values: each of its levels moves by so much. So it stands as it stood, whatever the values of
    /// its series are from now on.
    #[must_use]
    pub fn moved_by(&self, by: f64) -> Self {
        let state = match &self.state {
            AlertState::Inactive => AlertState::Inactive,
            AlertState::Pending(pending) => {
                let against = pending.against.map(|against| {
                    let baseline = Sample { value: against.baseline.value + by, ..against.baseline };
                    Against { baseline, ..against }
                });
                AlertState::Pending(Pending { against, ..pending.clone() })
            }
            AlertState::Firing(firing) => AlertState::Firing(firing.moved_by(by)),
        };
        let ended = self.ended.as_ref().map(|ended| {
            let by_reading = Sample { value: ended.by.value + by, ..ended.by };
            Box::new(Ended { by: by_reading, firing: ended.firing.moved_by(by), ..(**ended).clone() })
        });
        let unstable = self.flapping.unstable.as_ref();
        let unstable = unstable.map(|unstable| Unstable { fired: unstable.fired.moved_by(by), ..unstable.clone() });
        let flapping = Flapping { unstable, ..self.flapping.clone() };
        Self { state, ended, flapping, ..self.clone() }
    }

    /// Whether it has been reported and is not over.
    #[must_use]
    pub const fn is_firing(&self) -> bool {
        matches!(self.state, AlertState::Firing(_))
    }

    /// How it fires; `None`: it does not.
    #[must_use]
    pub const fn firing(&self) -> Option<&Firing> {
        match &self.state {
            AlertState::Firing(firing) => Some(firing),
            AlertState::Inactive | AlertState::Pending(_) => None,
        }
    }

    /// Whether nothing of it needs to be kept: it neither holds nor has ever fired.
    #[must_use]
    pub const fn is_blank(&self) -> bool {
        matches!(self.state, AlertState::Inactive) && self.generation == 0 && self.rebased_at.is_none()
    }
}

impl AlertState {
    /// The name in JSON, metrics and listings. An inactive alert that has fired before is `resolved`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Inactive => "resolved",
            Self::Pending(_) => "pending",
            Self::Firing(_) => "firing",
        }
    }
}
