//! The messages that a channel received, as plain data.

use super::world::{AlertId, Seconds, Severity};

/// What a line says about its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Fired,
    Worsened,
    Reminder,
    Unstable,
    Ended,
}

/// One alert in a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub alert: AlertId,
    pub says: Says,
    /// When the reported event happened, in the source's time.
    pub happened: Seconds,
    pub severity: Severity,
    /// Whether it says that nothing is left to do, because the new level is accepted.
    pub is_accepted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Single,
    Digest,
    Shift,
}

/// One message that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    pub at: Seconds,
    pub channel: usize,
    pub form: Form,
    pub lines: Vec<Line>,
    /// Alerts that it counts without a line, because they do not fit.
    pub left_out: usize,
    /// All text that a person can read in it.
    pub text: String,
}

/// The outcome of one notification for one channel, by the product's own account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub alert: AlertId,
    pub channel: usize,
    pub says: Says,
    pub at: Seconds,
    pub happened: Seconds,
    pub fate: Vec<Fate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// That message reports it, or something newer that covers it.
    Within(usize),
    /// A silence ended, and nothing was left to report.
    Silenced,
    /// Nobody receives it, for another reason.
    Dropped,
}
