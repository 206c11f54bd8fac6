//! What a channel shows in addition to the facts. A tenant's labels and what a rule's author wrote are often for our own people only.

use std::borrow::Cow;

use crate::notify::{
    Notification,
    notification::{ExcludedControl, Facts},
    route::Audience,
};

/// What a channel shows in addition to the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show {
    /// The labels of tenants.
    pub labels: bool,
    /// What a rule is for and what to do, in its author's words (`about` and `runbook`), and why controls are excluded.
    pub about: bool,
}

impl Show {
    /// The words under `show:`.
    pub const WORDS: [&'static str; 2] = ["labels", "about"];

    /// What a channel with that audience shows unless it says so: nothing if it is some customers' channel, else everything.
    #[must_use]
    pub fn unless_written(audience: &Audience) -> Self {
        Self { labels: audience.is_open(), about: audience.is_open() }
    }

    /// The notification as such a channel may show it.
    #[must_use]
    pub fn of(self, notification: &Notification) -> Cow<'_, Notification> {
        if self.labels && self.about {
            return Cow::Borrowed(notification);
        }
        let mut shown = notification.clone();
        self.take_out(&mut shown.data.facts);
        for item in &mut shown.data.items {
            self.take_out(&mut item.facts);
        }
        if let Some(month) = shown.data.month.as_mut().filter(|_| !self.about) {
            take_out_reasons(&mut month.report.excluded);
        }
        Cow::Owned(shown)
    }

    fn take_out(self, facts: &mut Facts) {
        if let Some(tenant) = facts.tenant.as_mut().filter(|_| !self.labels) {
            tenant.labels.clear();
        }
        if let Some(rule) = facts.rule.as_mut().filter(|_| !self.about) {
            (rule.about, rule.runbook) = (None, None);
        }
        let excluded = facts.score.as_mut().and_then(|score| score.excluded.as_mut()).filter(|_| !self.about);
        if let Some(excluded) = excluded {
            take_out_reasons(&mut excluded.controls);
        }
    }
}

fn take_out_reasons(excluded: &mut [ExcludedControl]) {
    for control in excluded {
        control.reason = None;
    }
}
