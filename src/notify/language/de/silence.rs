//! A silence of which the operator is to know, in German.

use std::time::Duration;

use super::WORDS as GERMAN;
use crate::notify::{
    facts::wording::Covered,
    language::{
        Place, noun,
        operator::{CoveredWords, Said},
    },
};

const COVERED: CoveredWords = CoveredWords {
    tenants: noun("Mandant", "Mandanten"),
    labels: noun("Merkmal", "Merkmale"),
    rules: noun("Regel", "Regeln"),
    severities: noun("Schweregrad", "Schweregrade"),
    between: "; ",
    more: |more| format!(" und {more} weitere"),
};

pub(super) fn silenced(id: i64, author: &str, everybody: bool, seconds: u64, has_page: bool, covers: &Covered) -> Said {
    let length = GERMAN.duration(Duration::from_secs(seconds), Place::Alone);
    let (whom, what) = if everybody { ("alle Mandanten", "Alle Mandanten sind") } else { ("Alarme", "Alarme sind") };
    let page = if has_page { "auf der Seite der Stummschaltungen oder " } else { "" };
    let named = match COVERED.said(covers, &GERMAN) {
        nothing if nothing.is_empty() => nothing,
        named => format!(": {named}"),
    };
    Said {
        summary: format!("{author} hat {whom} für {length} stummgeschaltet (Stummschaltung {id}{named})."),
        headline: Some(format!("{what} für {length} stummgeschaltet")),
        detail: Some(format!("Stummschaltung {id}, von {author}{named}.")),
        hint: Some(format!(
            "falls das nicht beabsichtigt ist, beenden Sie sie {page}mit `scorewatch silences end {id}`"
        )),
    }
}
