//! What happens to an alert, with the facts that a message needs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Gap, Unread};
use crate::domain::Timestamp;

/// Something to report, with the facts that the message needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// What happened to the alert.
    pub kind: TransitionKind,
    /// When: the reading's source time, or the time of the evaluation where no reading caused it.
    pub at: Timestamp,
    /// The value that caused it, or the newest known; `None` for `no_data`.
    pub value: Option<f64>,
    /// When that value was observed.
    pub observed_at: Option<Timestamp>,
    /// The frozen baseline; `drop` and `rise` only.
    pub baseline: Option<f64>,
    /// The worst value that was reported before; of a worsening only, and `None` for `no_data`.
    pub previous: Option<f64>,
    /// When the condition first held.
    pub since: Timestamp,
    /// When the alert began to fire.
    pub fired_at: Timestamp,
    /// The alert's generation and sequence number after this transition.
    pub generation: u64,
    /// Counts from one in each generation.
    pub sequence: u64,
    /// The gap in the readings that the change spans; `drop` and `rise` only.
    pub gap: Option<Gap>,
    /// The scores without data; of a resolved alert, those that it last listed. `no_data` only.
    pub unread: Vec<Unread>,
    /// How many of those, from the first on, the notification before listed already; of a worsening only.
    pub listed: usize,
    /// How many of its rule's escalation steps the firing has taken, this one included.
    pub escalated: u32,
    /// What an escalation says; of an escalation only.
    pub unacknowledged: Option<Unacknowledged>,
    /// Whether the condition holds at the value. A reminder says so if it does not: the value lies between firing and recovery.
    pub holds: bool,
}

/// For how long nobody has acknowledged an alert that is escalated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unacknowledged {
    /// From when on it could have been acknowledged.
    pub since: Timestamp,
    /// How long its rule waits for that.
    pub after: Duration,
    /// Which of the rule's steps were already taken before this one.
    pub before: u32,
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionKind {
    /// The alert has begun to fire.
    Fired,
    /// It got worse by the rule's size, or step, once more.
    Worsened,
    /// The alert still fires after `repeat`.
    Reminder,
    /// Nobody has acknowledged it in time: further channels are notified.
    Escalated,
    /// It has fired and recovered too often; nothing more is sent until it has been stable for a while.
    Unstable,
    /// The alert is over, for this reason.
    Resolved(Resolution),
}

/// Why an alert is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// The score has recovered, or data came again.
    Recovered,
    /// The loss was accepted as the new level, by time or by a person.
    Accepted,
    /// The rule was edited, and by its new text the condition does not hold.
    RuleChanged,
    /// The rule is gone, or no longer applies to the tenant.
    RuleRemoved,
    /// The tenant is gone.
    TenantRemoved,
    /// The score is no longer polled, or its subject is gone.
    SubjectRemoved,
}

impl Resolution {
    /// The name in JSON and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Accepted => "accepted",
            Self::RuleChanged => "rule-changed",
            Self::RuleRemoved => "rule-removed",
            Self::TenantRemoved => "tenant-removed",
            Self::SubjectRemoved => "subject-removed",
        }
    }
}
