//! Configurations that are rejected, and replicas whose configurations differ, in French.

use super::WORDS as FRENCH;
use crate::notify::{
    facts::wording::News,
    language::{capitalized, operator::Said},
};

pub(super) fn said(news: &News) -> Said {
    match news {
        News::ConfigurationRejected { errors, is_still, first, places } => rejected(*errors, *is_still, first, places),
        News::ConfigurationsDiffer { places } => differ(places),
        News::ConfigurationsAgree => agree(),
        News::VersionsDiffer { places } => versions_differ(places),
        _ => Said {
            summary: "La configuration a été corrigée et est en vigueur.".to_owned(),
            headline: Some("Configuration corrigée et en vigueur".to_owned()),
            ..Said::default()
        },
    }
}

fn rejected(errors: usize, is_still: bool, first: &str, places: &[String]) -> Said {
    let (was, still) = if is_still { ("est toujours refusée", "toujours ") } else { ("a été refusée", "") };
    let count = format!("{errors} {}", if errors < 2 { "erreur" } else { "erreurs" });
    let (by, there) = if places.is_empty() {
        (String::new(), "")
    } else {
        (format!(" par {}", FRENCH.reason.all_in_words(places)), "y ")
    };
    Said {
        summary: format!("La configuration modifiée {was}{by} ({count}). L’ancienne {there}reste en vigueur."),
        headline: Some(format!("Configuration {still}refusée")),
        detail: Some(if places.is_empty() {
            format!("Elle contient {count}. L’ancienne configuration reste en vigueur.")
        } else {
            format!("Elle {was}{by} et contient {count}. L’ancienne configuration y reste en vigueur.")
        }),
        hint: Some(format!(
            "corrigez {first}\u{a0}; `scorewatch check` affiche toutes les erreurs, et une configuration corrigée est chargée sans \
             redémarrage. D’ici là, les locataires et les canaux qu’elle supprime restent desservis"
        )),
    }
}

fn differ(places: &[String]) -> Said {
    let (who, have) = (FRENCH.reason.all_in_words(places), if places.len() == 1 { "a" } else { "ont" });
    Said {
        summary: format!(
            "Des réplicas ont des configurations différentes\u{a0}: {who} {have} une autre configuration que le réplica principal."
        ),
        headline: Some("Des réplicas ont des configurations différentes".to_owned()),
        detail: Some(capitalized(&format!("{who} {have} une autre configuration que le réplica principal."))),
        hint: Some(
            "donnez-leur à tous les mêmes fichiers\u{a0}; `scorewatch replicas` les compare. D’ici là, certains locataires nouveaux ou renommés ne \
             sont pas vérifiés et certains nouveaux canaux ne sont pas servis, les alertes des règles et des locataires supprimés ne sont pas \
             closes, et les destinataires modifiés ne sont pas pris en compte"
                .to_owned(),
        ),
    }
}

fn agree() -> Said {
    Said {
        summary: "Tous les réplicas ont de nouveau la même configuration.".to_owned(),
        headline: Some("Tous les réplicas ont la même configuration".to_owned()),
        ..Said::default()
    }
}

fn versions_differ(places: &[String]) -> Said {
    let (who, have) = (FRENCH.reason.all_in_words(places), if places.len() == 1 { "exécute" } else { "exécutent" });
    Said {
        summary: format!(
            "Des réplicas ont des versions différentes depuis une heure\u{a0}: {who} {have} une autre version que le réplica principal."
        ),
        headline: Some("Des réplicas ont des versions différentes".to_owned()),
        detail: Some(capitalized(&format!("{who} {have} depuis une heure une autre version que le réplica principal."))),
        hint: Some(
            "terminez la mise à niveau, ou revenez partout à l’ancienne version\u{a0}; `scorewatch replicas` affiche chaque version. D’ici là, les \
             configurations ne sont pas comparées, les alertes des règles et des locataires supprimés ne sont pas closes, et les destinataires \
             modifiés ne sont pas pris en compte"
                .to_owned(),
        ),
    }
}
