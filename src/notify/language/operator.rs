//! What the operator is notified of.

use super::{Plural, Words};
use crate::{
    domain::ScoreKind,
    notify::{
        facts::wording::{Covered, Named, News},
        parking::SECRET_UNREADABLE,
    },
};

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

/// What a silence can name, in the forms that go with how many of it there are.
pub(super) struct CoveredWords {
    pub(super) tenants: Plural,
    pub(super) labels: Plural,
    pub(super) rules: Plural,
    pub(super) severities: Plural,
    /// What stands between two kinds of things.
    pub(super) between: &'static str,
    /// How many more there are than those that are named.
    pub(super) more: fn(usize) -> String,
}

impl CoveredWords {
    /// What a silence names: `tenant contoso; rules low, high and 3 more`. Empty: nothing.
    pub(super) fn said(&self, covers: &Covered, words: &Words) -> String {
        let Covered { tenants, labels, rules, scores, severities } = covers;
        let severities = severities.iter().map(|severity| (words.severity)(*severity).to_owned()).collect();
        let severities = Named { names: severities, more: 0 };
        let said = |noun: Plural, Named { names, more }: &Named| {
            let noun = if names.len() + more == 1 { noun.one } else { noun.other };
            let more = if *more > 0 { (self.more)(*more) } else { String::new() };
            (!names.is_empty()).then(|| format!("{noun} {}{more}", names.join(", ")))
        };
        let kinds = [
            said(self.tenants, tenants),
            said(self.labels, labels),
            said(self.rules, rules),
            (!scores.is_empty()).then(|| names_of(scores, words.score)),
            said(self.severities, &severities),
        ];
        kinds.into_iter().flatten().collect::<Vec<_>>().join(self.between)
    }
}

/// A message of one sentence.
pub(super) fn one(summary: &str) -> Said {
    Said { summary: summary.to_owned(), ..Said::default() }
}

/// A message whose sentence is a headline and a detail.
pub(super) fn said(summary: String, headline: String, detail: String, hint: Option<String>) -> Said {
    Said { summary, headline: Some(headline), detail: Some(detail), hint }
}

/// The names of scores in a row.
pub(super) fn names_of(scores: &[ScoreKind], name: fn(ScoreKind, Option<&str>) -> String) -> String {
    scores.iter().map(|score| name(*score, None)).collect::<Vec<_>>().join(", ")
}

/// Why a channel's secret can't be read, in English, where a reason says that. `None`: it says something else.
pub(super) fn unread_secret(reason: &str) -> Option<&str> {
    let why = reason.strip_prefix(SECRET_UNREADABLE)?;
    why.strip_prefix(": ").or_else(|| why.strip_prefix(" (")?.strip_suffix(')'))
}

/// Why a channel is parked, with `verb` for "answered" where a service is quoted: `` Slack answered `no_service` ``.
pub(super) fn answered(reason: &str, verb: &str) -> String {
    match reason.split_once(" answered `") {
        Some((who, word)) if word.ends_with('`') && !who.contains(' ') => format!("{who} {verb} `{word}"),
        _ => reason.to_owned(),
    }
}
