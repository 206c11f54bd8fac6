//! What the lines of digests, outages and reports say.

use crate::domain::Severity;

/// The texts of one language for messages of several lines.
pub(crate) struct LineWords {
    /// Some names, and how many more there are.
    pub(crate) names_and: fn(&str, usize) -> String,
    pub(crate) and_more: fn(usize) -> String,
    /// How many more, and which.
    pub(crate) and_more_of: fn(usize, &str) -> String,
    pub(crate) others: fn(usize) -> String,
    /// Where all lines can be looked up: the message's short id.
    pub(crate) all_of_them: fn(&str) -> String,
    pub(crate) severities: fn(usize, Severity) -> String,
    pub(crate) ended: fn(usize) -> String,
    /// Alerts, at how many tenants.
    pub(crate) alerts_at: fn(usize, usize) -> String,
    pub(crate) alerts_ended_at: fn(usize, usize) -> String,
    /// Messages about Scorewatch, in a headline and in a count.
    pub(crate) messages_about_scorewatch: fn(usize) -> String,
    pub(crate) about_scorewatch: fn(usize) -> String,
    pub(crate) no_data: &'static str,
    /// After how long an alert ended.
    pub(crate) after: fn(&str) -> String,
    /// Controls that do not count.
    pub(crate) excluded: fn(usize) -> String,
    /// How many tenants, and what else of them.
    pub(crate) readable_again: fn(usize) -> String,
    pub(crate) still_without_data: fn(usize) -> String,
    pub(crate) without_data: fn(usize) -> String,
    /// A report: on how many tenants, from when, until when.
    pub(crate) report: fn(usize, &str, &str) -> String,
    pub(crate) no_alert: &'static str,
    pub(crate) firing: &'static str,
    pub(crate) all_read: &'static str,
    pub(crate) unread: &'static str,
    pub(crate) since: fn(&str) -> String,
    pub(crate) messages_here: &'static str,
    pub(crate) held: fn(usize) -> String,
    pub(crate) given_up: fn(usize) -> String,
    pub(crate) nothing_moved: &'static str,
    pub(crate) worse: &'static str,
    pub(crate) better: &'static str,
    /// At how many tenants some controls do not count.
    pub(crate) excluding: fn(usize) -> String,
    /// How many more moved, of which score.
    pub(crate) more_of_score: fn(usize, &str) -> String,
}
