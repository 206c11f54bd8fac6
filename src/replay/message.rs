//! The results of a replay: a message as it is made, one as it is sent, and one that is not sent.

use std::{fmt, sync::Arc};

use serde::Serialize;

use crate::{
    domain::{ChannelName, ScoreKind, Subject, TenantId, Timestamp},
    notify::{
        Notification, NotificationType,
        compose::{self, AcceptedBy, MessageParts},
        facts::wording::Remark,
        notification::{Links, NoDataFacts, TenantFacts},
    },
    rule::{Resolution, Rule, Transition, TransitionKind, Unread},
};

/// What one transition of an alert says, and to whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// When it was made.
    pub at: Timestamp,
    /// The tenant that the alert belongs to.
    pub tenant: TenantId,
    /// The rule that made the message.
    pub rule: Arc<Rule>,
    /// Of which score; `None`: of the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// The transition that made this message.
    pub transition: Transition,
    /// When it was over before anybody was notified of it; for worsenings only.
    pub taken_back_at: Option<Timestamp>,
    /// The channels that it goes to; none: nobody is notified.
    pub channels: Arc<[ChannelName]>,
}

/// A message that a channel got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The time at which it happened.
    pub at: Timestamp,
    /// The channel that it is sent to.
    pub channel: ChannelName,
    /// The kind of message that was sent.
    pub kind: NotificationType,
    /// Which messages it says, by their place, oldest first. Of one that is neither digest nor notice, the last is said and stands
    /// for the others.
    pub says: Vec<usize>,
    /// The notice of a fleet shift that it is, by its place.
    pub notice: Option<usize>,
}

/// A message that a channel did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// Which message, by its place.
    pub message: usize,
    /// From which channel; `None`: from all.
    pub channel: Option<ChannelName>,
    /// The stage that suppressed it.
    pub stage: Stage,
}

/// What suppresses a message, in the order in which it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ReplayStage")]
pub enum Stage {
    /// The rule and the tenant name no channel that may show the tenant.
    Route,
    /// A silence or a maintenance window.
    Silence,
    /// It is a line of a message about a fleet shift.
    Fleet,
    /// It went along with a newer message of its alert, or as a line of a digest.
    Digest,
}

impl Stage {
    /// Every stage, in its order.
    pub const ALL: [Self; 4] = [Self::Route, Self::Silence, Self::Fleet, Self::Digest];

    /// The name in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Silence => "silence",
            Self::Fleet => "fleet",
            Self::Digest => "digest",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Message {
    /// What kind of message it is on its own.
    #[must_use]
    pub const fn kind(&self) -> NotificationType {
        compose::type_of(self.transition.kind)
    }

    /// Why the alert is over; `None`: it is not.
    #[must_use]
    pub const fn resolution(&self) -> Option<Resolution> {
        match self.transition.kind {
            TransitionKind::Resolved(resolution) => Some(resolution),
            _ => None,
        }
    }

    /// Whether it was over by then, before anybody was notified of it.
    #[must_use]
    pub fn is_taken_back(&self, now: Timestamp) -> bool {
        self.taken_back_at.is_some_and(|at| at <= now)
    }

    /// Whether both are about one alert.
    #[must_use]
    pub fn is_of_same_alert(&self, other: &Self) -> bool {
        self.tenant == other.tenant
            && self.rule.name == other.rule.name
            && self.score == other.score
            && self.subject == other.subject
    }

    /// Whether one message can say both this and the later one: both are about one alert, and the alert did not end in between.
    #[must_use]
    pub fn goes_along_with(&self, later: &Self) -> bool {
        self.is_of_same_alert(later)
            && self.transition.generation == later.transition.generation
            && later.transition.sequence > self.transition.sequence
    }

    /// Whether both are about one reading, by different rules.
    #[must_use]
    pub fn is_of_same_reading(&self, other: &Self) -> bool {
        let reading =
            |one: &Self| Some((one.tenant.clone(), one.score?, one.subject.clone(), one.transition.observed_at?));
        self.rule.name != other.rule.name && reading(self).is_some_and(|this| reading(other) == Some(this))
    }

    /// The notification that the service would make of it, except what only a real check knows: links, causes, why it is blind.
    #[must_use]
    pub fn notification(&self, tenant: TenantFacts) -> Notification {
        let key = self.rule.alert_key(&self.tenant, self.score, self.subject.as_ref());
        let transition = &self.transition;
        let is_worse = transition.kind == TransitionKind::Worsened;
        let listed = if is_worse { transition.listed } else { transition.unread.len() };
        let without = |(place, unread): (usize, &Unread)| NoDataFacts {
            kind: unread.score,
            since: unread.since,
            class: None,
            cause: None,
            hint: None,
            reason: "No reading came.".to_owned(),
            lack: None,
            is_new: place >= listed,
        };
        let no_data: Vec<NoDataFacts> = transition.unread.iter().enumerate().map(without).collect();
        let remark = match transition.kind {
            TransitionKind::Resolved(_) | TransitionKind::Unstable => None,
            _ if self.rule.is_no_data() => Some(Remark::NoData),
            TransitionKind::Reminder | TransitionKind::Escalated => (!transition.holds).then_some(Remark::Between),
            TransitionKind::Fired | TransitionKind::Worsened => transition.gap.map(Remark::Across),
        };
        let score = self.score.or_else(|| no_data.first().map(|facts| facts.kind));
        let parts = MessageParts {
            store: super::STORE,
            tenant_key: self.tenant.as_str(),
            key: &key,
            score: score.unwrap_or(ScoreKind::DeviceSecureScore),
            tenant,
            condition: self.rule.when.to_string(),
            severity: self.rule.severity,
            loss: compose::loss_of(&self.rule.when, transition.baseline, transition.value),
            points: None,
            excluded: None,
            remark,
            no_data,
            accepted_by: AcceptedBy::Time,
            operator: None,
            guide: self.rule.guide.clone(),
            links: Links::default(),
        };
        compose::of_transition(parts, &self.transition)
    }
}
