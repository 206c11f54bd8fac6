//! Configurations that are rejected, and replicas whose configurations differ, in German.

use super::WORDS as GERMAN;
use crate::notify::{facts::wording::News, language::operator::Said};

pub(super) fn said(news: &News) -> Said {
    match news {
        News::ConfigurationRejected { errors, is_still, first, places } => rejected(*errors, *is_still, first, places),
        News::ConfigurationsDiffer { places } => differ(places),
        News::ConfigurationsAgree => agree(),
        News::VersionsDiffer { places } => versions_differ(places),
        _ => Said {
            summary: "Die Konfiguration wurde berichtigt und ist in Kraft.".to_owned(),
            headline: Some("Konfiguration berichtigt und in Kraft".to_owned()),
            ..Said::default()
        },
    }
}

fn rejected(errors: usize, is_still: bool, first: &str, places: &[String]) -> Said {
    let (was, still) = if is_still { ("wird weiterhin", "weiterhin ") } else { ("wurde", "") };
    let (by, there) = if places.is_empty() {
        (String::new(), "")
    } else {
        (format!(" von {}", GERMAN.reason.all_in_words(places)), " dort")
    };
    Said {
        summary: format!(
            "Die geänderte Konfiguration {was}{by} abgelehnt ({errors} Fehler). Die alte bleibt{there} in Kraft."
        ),
        headline: Some(format!("Konfiguration {still}abgelehnt")),
        detail: Some(if places.is_empty() {
            format!("Sie enthält {errors} Fehler. Die alte Konfiguration bleibt in Kraft.")
        } else {
            format!("Sie {was}{by} abgelehnt und enthält {errors} Fehler. Die alte Konfiguration bleibt dort in Kraft.")
        }),
        hint: Some(format!(
            "beheben Sie {first}; `scorewatch check` zeigt alle Fehler, und eine berichtigte Konfiguration wird ohne Neustart geladen. \
             Bis dahin werden Mandanten und Kanäle, die sie entfernt, weiter bedient"
        )),
    }
}

fn differ(places: &[String]) -> Said {
    let (who, have) = (GERMAN.reason.all_in_words(places), if places.len() == 1 { "hat" } else { "haben" });
    Said {
        summary: format!("Replikate haben verschiedene Konfigurationen: {who} {have} eine andere als das führende Replikat."),
        headline: Some("Replikate haben verschiedene Konfigurationen".to_owned()),
        detail: Some(format!("{who} {have} eine andere Konfiguration als das führende Replikat.")),
        hint: Some(
            "geben Sie allen dieselben Dateien; `scorewatch replicas` vergleicht sie. Bis dahin werden manche neuen oder umbenannten Mandanten nicht geprüft \
             und manche neuen Kanäle nicht bedient, Alarme entfernter Regeln und Mandanten nicht beendet und geänderte Empfänger nicht \
             berücksichtigt"
                .to_owned(),
        ),
    }
}

fn agree() -> Said {
    Said {
        summary: "Alle Replikate haben wieder dieselbe Konfiguration.".to_owned(),
        headline: Some("Alle Replikate haben dieselbe Konfiguration".to_owned()),
        ..Said::default()
    }
}

fn versions_differ(places: &[String]) -> Said {
    let (who, have) = (GERMAN.reason.all_in_words(places), if places.len() == 1 { "hat" } else { "haben" });
    Said {
        summary: format!("Replikate haben seit einer Stunde verschiedene Versionen: {who} {have} eine andere als das führende Replikat."),
        headline: Some("Replikate haben verschiedene Versionen".to_owned()),
        detail: Some(format!("{who} {have} seit einer Stunde eine andere Version als das führende Replikat.")),
        hint: Some(
            "schließen Sie das Upgrade ab, oder machen Sie es überall rückgängig; `scorewatch replicas` zeigt jede Version. Bis dahin werden \
             Konfigurationen nicht verglichen, Alarme entfernter Regeln und Mandanten nicht beendet und geänderte Empfänger nicht berücksichtigt"
                .to_owned(),
        ),
    }
}
