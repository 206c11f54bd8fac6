//! What the operator is notified of.

use crate::notify::facts::wording::News;

/// The texts of one language for the operator.
pub(crate) struct OperatorWords {
    /// What happened; the second is the channel that it is about.
    pub(crate) news: fn(&News, &str) -> Said,
    /// How a hint begins that says that nothing needs to be done.
    pub(crate) nothing_to_do: &'static str,
}

/// An operator message in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// What happened, as one sentence.
    pub(crate) summary: String,
    /// The same in a few words; `None`: the sentence is one.
    pub(crate) headline: Option<String>,
    /// What the headline does not say.
    pub(crate) detail: Option<String>,
    pub(crate) hint: Option<String>,
}

/// Why a channel is parked, with `verb` for "answered" where a service is quoted: `` Slack answered `no_service` ``.
pub(super) fn answered(reason: &str, verb: &str) -> String {
    match reason.split_once(" answered `") {
        Some((who, word)) if word.ends_with('`') && !who.contains(' ') => format!("{who} {verb} `{word}"),
        _ => reason.to_owned(),
    }
}
