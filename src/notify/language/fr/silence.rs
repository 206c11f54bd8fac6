//! A silence of which the operator is to know, in French.

use std::time::Duration;

use super::WORDS as FRENCH;
use crate::notify::language::{Place, operator::Said};

pub(super) fn silenced(id: i64, author: &str, everybody: bool, seconds: u64, has_page: bool) -> Said {
    let length = FRENCH.duration(Duration::from_secs(seconds), Place::Alone);
    let (whom, what) = if everybody {
        ("tous les locataires", "Tous les locataires sont mis en silence")
    } else {
        ("des alertes", "Des alertes sont mises en silence")
    };
    let page = if has_page { "sur la page des silences ou " } else { "" };
    Said {
        summary: format!("{author} a mis en silence {whom} pour {length} (silence {id})."),
        headline: Some(format!("{what} pour {length}")),
        detail: Some(format!("Silence {id}, par {author}.")),
        hint: Some(format!("si ce n’est pas voulu, mettez-y fin {page}avec `scorewatch silences end {id}`")),
    }
}
