//! A rule as meant: its text has been read and found good.

use std::{sync::Arc, time::Duration};

use super::{
    condition::{Condition, Recover, Size, Terms},
    name::RuleName,
};
use crate::domain::{ChannelName, Labels, ScoreKind, Selector, Severity, Subject, TenantId};

/// A condition on a score, the tenants that it applies to, and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Unique over all rule files.
    pub name: RuleName,
    /// The score judged. `None` only for `no_data`, which then watches all scores that the tenant is polled for, as one.
    pub score: Option<ScoreKind>,
    /// Which tenants, by label.
    pub tenants: Selector,
    /// The condition under which the alert fires.
    pub when: Condition,
    /// What must hold for the alert to be over; `None`: the condition no longer holds.
    pub recover: Option<Recover>,
    /// How long the condition must have held before it fires; zero: fires at once.
    pub hold: Duration,
    /// How bad it is.
    pub severity: Severity,
    /// Time between reminders while it fires, from the last delivered notification; `None`: no reminders.
    pub repeat: Option<Duration>,
    /// How much further a `below`/`above` alert must move from the last reported value to be reported as worsened again. Percent is of the threshold.
    pub step: Option<Size>,
    /// After how long a `drop`/`rise` alert is resolved as "accepted as the new level".
    pub accept_after: Option<Duration>,
    /// Channels that are notified.
    pub notify: Vec<ChannelName>,
    /// Further channels for a firing that nobody acknowledges, the earliest first.
    pub escalate: Vec<Escalation>,
    /// Whether the channels that a tenant names itself are notified, too.
    pub tenant_channels: bool,
    /// The author knows that this rule fires on good news.
    pub good_news: bool,
    /// Whether this rule takes part in fleet shifts.
    pub fleet: bool,
    /// The number of changes from which an alert is unstable; `None`: each is reported.
    pub flapping: Option<FlapLimit>,
    /// What it is for, and what to do.
    pub guide: Guide,
}

/// Further channels that are notified of a firing that nobody has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// How long it may go without an acknowledgement.
    pub after: Duration,
    /// The channels that are notified then.
    pub notify: Vec<ChannelName>,
}

/// How often an alert may fire and recover before it is reported once as unstable, and then left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlapLimit {
    /// The number of changes that are reported.
    pub changes: u32,
    /// Within so much time, by the wall clock.
    pub within: Duration,
}

impl Default for FlapLimit {
    fn default() -> Self {
        Self { changes: 6, within: Duration::from_hours(24) }
    }
}

/// Most characters of [`Guide::about`], and of a runbook that is a text: as many as a message shows.
pub const GUIDE_CHARACTERS_MAX: usize = 300;

/// What a rule is for, and what to do when it fires, in its author's words. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guide {
    /// What it is for, in one or two sentences.
    pub about: Option<Arc<str>>,
    /// What to do when it fires: an `https` link, or a text.
    pub runbook: Option<Arc<str>>,
}

impl Rule {
    /// A rule on every score of every tenant that notifies nobody: `warning`, immediately, each change, without reminders.
    #[must_use]
    pub fn new(name: RuleName, when: Condition) -> Self {
        Self {
            name,
            score: None,
            tenants: Selector::default(),
            when,
            recover: None,
            hold: Duration::ZERO,
            severity: Severity::Warning,
            repeat: None,
            step: None,
            accept_after: None,
            notify: Vec::new(),
            escalate: Vec::new(),
            tenant_channels: true,
            good_news: false,
            fleet: true,
            flapping: None,
            guide: Guide::default(),
        }
    }

    /// Whether this rule judges that score of a tenant with these labels.
    #[must_use]
    pub fn applies_to(&self, labels: &Labels, score: ScoreKind) -> bool {
        self.score.is_none_or(|judged| judged == score) && self.tenants.matches(labels)
    }

    /// Of the channels that a tenant names itself, those that this rule notifies: all or none.
    #[must_use]
    pub fn of_tenant<'a>(&self, channels: &'a [ChannelName]) -> &'a [ChannelName] {
        if self.tenant_channels { channels } else { &[] }
    }

    /// The channels of the first `steps` escalation steps, without those of the first `before`.
    pub fn escalated(&self, before: u32, steps: u32) -> impl Iterator<Item = &ChannelName> {
        let index = |steps: u32| usize::try_from(steps).unwrap_or(usize::MAX);
        let done = self.escalate.iter().take(index(steps)).skip(index(before));
        done.flat_map(|step| &step.notify)
    }

    /// What an alert of this rule is judged by.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        Terms { when: self.when, recover: self.recover }
    }

    /// An unstable alert is stable once it has not changed for so long: for as long as `for`, and at least an hour.
    #[must_use]
    pub fn calm(&self) -> Duration {
        const CALM_MIN: Duration = Duration::from_hours(1);
        self.hold.max(CALM_MIN)
    }

    /// Whether it watches for a lack of data: whole scores, not each series.
    #[must_use]
    pub const fn is_no_data(&self) -> bool {
        matches!(self.when, Condition::NoData(_))
    }

    /// Whether an alert of that score and subject is one that this rule makes of a tenant with these labels. A `no_data` rule makes
    /// one of the score that it names or, if it names none, one of the whole tenant; any other rule makes one for each series.
    #[must_use]
    pub fn makes_alert(&self, labels: &Labels, score: Option<ScoreKind>, subject: Option<&Subject>) -> bool {
        if self.is_no_data() {
            return self.tenants.matches(labels) && score == self.score && subject.is_none();
        }
        score.is_some_and(|score| self.applies_to(labels, score))
    }

    /// The identity of this rule's alert for one series, or of a `no_data` rule for one score or the whole tenant.
    #[must_use]
    pub fn alert_key(&self, tenant: &TenantId, score: Option<ScoreKind>, subject: Option<&Subject>) -> super::AlertKey {
        super::AlertKey { tenant: tenant.clone(), rule: self.name.clone(), score, subject: subject.cloned() }
    }
}
