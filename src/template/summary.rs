//! A notification in words, for receivers that take fields and not a template's text. What a template's `words` are.

use serde::Deserialize;

use super::context::{LEVELS, context};
use crate::notify::{Notification, language::Locale};

/// A notification in words: tamed, cut, links `https` only. The receiver takes it as plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Summary {
    /// One sentence: who, what, how much.
    pub headline: String,
    /// Why, and what to do, where that is known.
    pub note: Option<String>,
    /// The facts in the order of their weight.
    pub facts: Vec<SummaryFact>,
    /// What regressed, largest first.
    pub causes: Vec<String>,
    /// Links to pages with more details, in the order shown.
    pub links: Vec<SummaryLink>,
    /// How to distinguish this message from others, and whether it is a repeat or a test.
    pub footer: String,
}

/// A fact with its title.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SummaryFact {
    /// What it is called in English, whatever the language is.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// What kind of work it is.
    pub value: String,
}

/// A link with its title.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SummaryLink {
    /// What the reader finds there.
    pub title: String,
    /// The address that the link leads to.
    pub url: String,
}

/// Says a notification in words. A notification that can't be written as JSON, which none is, has empty ones.
#[must_use]
pub fn summary(notification: &Notification, locale: &Locale) -> Summary {
    let words = context(notification, LEVELS[0], locale).and_then(|mut context| Some(context.get_mut("words")?.take()));
    words.and_then(|words| serde_json::from_value(words).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::sample;

    #[test]
    fn every_notification_has_a_headline_of_one_line() {
        for sample in sample::all() {
            let summary = summary(&sample, &Locale::default());
            assert!(!summary.headline.is_empty() && !summary.headline.contains('\n'), "{summary:?}");
            assert!(!summary.footer.is_empty());
        }
    }
}
