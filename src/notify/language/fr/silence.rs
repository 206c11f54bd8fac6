//! A silence of which the operator is to know, in French.

use std::time::Duration;

use super::WORDS as FRENCH;
use crate::notify::{
    facts::wording::Covered,
    language::{
        Place, noun,
        operator::{CoveredWords, Said},
    },
};

const COVERED: CoveredWords = CoveredWords {
    tenants: noun("locataire", "locataires"),
    labels: noun("étiquette", "étiquettes"),
    rules: noun("règle", "règles"),
    severities: noun("gravité", "gravités"),
    between: "\u{a0}; ",
    more: |more| if more == 1 { " et 1 autre".to_owned() } else { format!(" et {more} autres") },
};

pub(super) fn silenced(id: i64, author: &str, everybody: bool, seconds: u64, has_page: bool, covers: &Covered) -> Said {
    let length = FRENCH.duration(Duration::from_secs(seconds), Place::Alone);
    let (whom, what) = if everybody {
        ("tous les locataires", "Tous les locataires sont mis en silence")
    } else {
        ("des alertes", "Des alertes sont mises en silence")
    };
    let page = if has_page { "sur la page des silences ou " } else { "" };
    let named = match COVERED.said(covers, &FRENCH) {
        nothing if nothing.is_empty() => nothing,
        named => format!("\u{a0}: {named}"),
    };
    Said {
        summary: format!("{author} a mis en silence {whom} pour {length} (silence {id}{named})."),
        headline: Some(format!("{what} pour {length}")),
        detail: Some(format!("Silence {id}, par {author}{named}.")),
        hint: Some(format!("si ce n’est pas voulu, mettez-y fin {page}avec `scorewatch silences end {id}`")),
    }
}
