//! A silence of which the operator is to know, in English.

use std::time::Duration;

use super::WORDS as ENGLISH;
use crate::notify::language::{Place, operator::Said};

pub(super) fn silenced(id: i64, author: &str, everybody: bool, seconds: u64, has_page: bool) -> Said {
    let length = ENGLISH.duration(Duration::from_secs(seconds), Place::Alone);
    let (whom, what) = if everybody { ("every tenant", "Every tenant is") } else { ("alerts", "Alerts are") };
    let page = if has_page { "on the Silences page, or " } else { "" };
    Said {
        summary: format!("{author} silenced {whom} for {length} (silence {id})."),
        headline: Some(format!("{what} silenced for {length}")),
        detail: Some(format!("Silence {id}, by {author}.")),
        hint: Some(format!("if this is not intended, end it {page}with `scorewatch silences end {id}`")),
    }
}
