//! Replicas whose configurations differ, in German.

use crate::notify::language::operator::Said;

pub(super) fn differ(places: &[String]) -> Said {
    let (who, have) = (places.join(", "), if places.len() == 1 { "hat" } else { "haben" });
    Said {
        summary: format!("Replikate haben verschiedene Konfigurationen: {who} {have} eine andere als das führende Replikat."),
        headline: Some("Replikate haben verschiedene Konfigurationen".to_owned()),
        detail: Some(format!("{who} {have} eine andere Konfiguration als das führende Replikat.")),
        hint: Some(
            "geben Sie allen dieselben Dateien; `scorewatch replicas` vergleicht sie. Bis dahin werden manche neuen Mandanten nicht geprüft \
             und manche neuen Kanäle nicht bedient, Alarme entfernter Regeln und Mandanten nicht beendet und geänderte Empfänger nicht \
             berücksichtigt"
                .to_owned(),
        ),
    }
}

pub(super) fn agree() -> Said {
    Said {
        summary: "Alle Replikate haben wieder dieselbe Konfiguration.".to_owned(),
        headline: Some("Alle Replikate haben dieselbe Konfiguration".to_owned()),
        ..Said::default()
    }
}
