//! Replicas whose configurations differ, in French.

use crate::notify::language::operator::Said;

pub(super) fn differ(places: &[String]) -> Said {
    let (who, have) = (places.join(", "), if places.len() == 1 { "a" } else { "ont" });
    Said {
        summary: format!(
            "Des réplicas ont des configurations différentes\u{a0}: {who} {have} une autre configuration que le réplica principal."
        ),
        headline: Some("Des réplicas ont des configurations différentes".to_owned()),
        detail: Some(format!("{who} {have} une autre configuration que le réplica principal.")),
        hint: Some(
            "donnez-leur à tous les mêmes fichiers\u{a0}; `scorewatch replicas` les compare. D’ici là, certains nouveaux locataires ne sont \
             pas vérifiés et certains nouveaux canaux ne sont pas servis, les alertes des règles et des locataires supprimés ne sont pas \
             closes, et les destinataires modifiés ne sont pas pris en compte"
                .to_owned(),
        ),
    }
}

pub(super) fn agree() -> Said {
    Said {
        summary: "Tous les réplicas ont de nouveau la même configuration.".to_owned(),
        headline: Some("Tous les réplicas ont la même configuration".to_owned()),
        ..Said::default()
    }
}
