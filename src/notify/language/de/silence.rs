//! A silence of which the operator is to know, in German.

use std::time::Duration;

use super::WORDS as GERMAN;
use crate::notify::language::{Place, operator::Said};

pub(super) fn silenced(id: i64, author: &str, everybody: bool, seconds: u64, has_page: bool) -> Said {
    let length = GERMAN.duration(Duration::from_secs(seconds), Place::Alone);
    let (whom, what) = if everybody { ("alle Mandanten", "Alle Mandanten sind") } else { ("Alarme", "Alarme sind") };
    let page = if has_page { "auf der Seite der Stummschaltungen oder " } else { "" };
    Said {
        summary: format!("{author} hat {whom} für {length} stummgeschaltet (Stummschaltung {id})."),
        headline: Some(format!("{what} für {length} stummgeschaltet")),
        detail: Some(format!("Stummschaltung {id}, von {author}.")),
        hint: Some(format!(
            "falls das nicht beabsichtigt ist, beenden Sie sie {page}mit `scorewatch silences end {id}`"
        )),
    }
}
