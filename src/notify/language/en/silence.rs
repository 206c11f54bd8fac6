//! A silence of which the operator is to know, in English.

use std::time::Duration;

use super::WORDS as ENGLISH;
use crate::notify::{
    facts::wording::Covered,
    language::{
        Place, noun,
        operator::{CoveredWords, Said},
    },
};

const COVERED: CoveredWords = CoveredWords {
    tenants: noun("tenant", "tenants"),
    labels: noun("label", "labels"),
    rules: noun("rule", "rules"),
    severities: noun("severity", "severities"),
    between: "; ",
    more: |more| format!(" and {more} more"),
};

pub(super) fn silenced(id: i64, author: &str, everybody: bool, seconds: u64, has_page: bool, covers: &Covered) -> Said {
    let length = ENGLISH.duration(Duration::from_secs(seconds), Place::Alone);
    let (whom, what) = if everybody { ("every tenant", "Every tenant is") } else { ("alerts", "Alerts are") };
    let page = if has_page { "on the Silences page, or " } else { "" };
    let named = match COVERED.said(covers, &ENGLISH) {
        nothing if nothing.is_empty() => nothing,
        named => format!(": {named}"),
    };
    Said {
        summary: format!("{author} silenced {whom} for {length} (silence {id}{named})."),
        headline: Some(format!("{what} silenced for {length}")),
        detail: Some(format!("Silence {id}, by {author}{named}.")),
        hint: Some(format!("if this is not intended, end it {page}with `scorewatch silences end {id}`")),
    }
}
