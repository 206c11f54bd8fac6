//! German.

use super::{Date, Plural, Words, is_exactly_one};
use crate::{
    domain::{FailureClass, ScoreKind, Severity},
    notify::reason::{CauseKind, ChangedBy},
};

pub(super) const WORDS: Words = Words {
    code: "de",
    decimal: ",",
    colon: ":",
    before_percent: "\u{a0}",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    title: "Sicherheitsbericht",
    tenant_id: "Mandanten-ID",
    month_goes_on: "Der Monat ist noch nicht zu Ende: Dies ist der bisherige Stand.",
    scores: "Bewertungen",
    no_scores: "In diesem Monat wurde keine Bewertung gelesen.",
    higher_is_better: "höher ist besser",
    lower_is_better: "niedriger ist besser",
    unchanged: "unverändert",
    better: "besser",
    worse: "schlechter",
    lowest: "Niedrigster Wert",
    highest: "Höchster Wert",
    each_day: "letzter Wert jedes Tages",
    since_first_value: "verglichen mit dem ersten Wert des Monats",
    changes: "Was die Sicherheitsbewertung verändert hat",
    lost: "Verloren",
    gained: "Gewonnen",
    nothing_lost: "Keine Maßnahme hat Punkte gekostet.",
    nothing_gained: "Keine Maßnahme hat Punkte gebracht.",
    changes_not_asked: "Der Einfluss einzelner Maßnahmen auf die Sicherheitsbewertung wurde nicht abgefragt.",
    changes_no_record: "Microsoft hat die Daten dieses Monats nicht mehr, daher lässt sich die Veränderung nicht aufschlüsseln.",
    alerts: "Offene Alarme",
    no_alerts: "Kein Alarm ist offen.",
    whole_tenant: "alle Bewertungen",
    acknowledged: "bestätigt",
    actions: "Nächste Schritte",
    no_actions: "Keine Empfehlungen.",
    points: Plural { one: "Punkt", other: "Punkte", is_one: is_exactly_one },
    percentage_points: Plural { one: "Prozentpunkt", other: "Prozentpunkte", is_one: is_exactly_one },
    more: |count| format!("und {count} weitere"),
    since: |day| format!("seit {day}"),
    made_at: |day| format!("Stand: {day}"),
    excluded: |controls, day| match controls {
        1 => format!("Alarme, Änderungen und nächste Schritte lassen 1 Maßnahme bis zum {day} außer Acht"),
        controls => {
            format!("Alarme, Änderungen und nächste Schritte lassen {controls} Maßnahmen bis zum {day} außer Acht")
        }
    },
    no_value_on: |days| if days == 1 { "an 1 Tag kein Wert".to_owned() } else { format!("an {days} Tagen kein Wert") },
    first_value_on: |day| format!("erster Wert am {day}"),
    down_to: |value| format!("im Tagesverlauf bis hinab auf {value}"),
    up_to: |value| format!("im Tagesverlauf bis hinauf auf {value}"),
    checks_fail: |day, why| format!("Die Prüfungen schlagen seit dem {day} fehl: {why}."),
    failed: |why| format!("Microsoft konnte nicht abgefragt werden: {why}."),
    class,
    other_class: "der Grund ist dieser Version nicht bekannt",
    day: |Date { day, month, year }| format!("{day}. {month} {year}"),
    severity,
    cause,
    changed_by,
    score,
};

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "kritisch",
        Severity::Warning => "Warnung",
        Severity::Info => "Hinweis",
    }
}

/// As the customer understands it, who knows neither our configuration nor our words.
fn class(class: FailureClass) -> &'static str {
    use FailureClass as Class;
    match class {
        Class::SecretUnreadable => "der Überwachungsdienst kann seine eigenen Anmeldeinformationen nicht lesen",
        Class::SecretWrong => "Microsoft lehnt die Anmeldeinformationen der Überwachungs-App ab",
        Class::SecretExpired => "die Anmeldeinformationen der Überwachungs-App sind abgelaufen",
        Class::CertificateUnknown => "Microsoft kennt das Zertifikat der Überwachungs-App nicht",
        Class::FederationUnmatched => "Microsoft akzeptiert die Anmeldeart der Überwachungs-App nicht",
        Class::ClockWrong => "die Uhr des Überwachungsdiensts geht falsch",
        Class::ConsentMissing => {
            "der Mandant hat der Überwachungs-App nicht zugestimmt oder seine Zustimmung zurückgezogen"
        }
        Class::AppDisabled => "der Mandant hat die Überwachungs-App deaktiviert",
        Class::TenantNotFound => "Microsoft findet den Mandanten nicht",
        Class::NotOnboarded => "der Mandant hat das Microsoft-Produkt nicht, das die Bewertung liefert",
        Class::RoleMissing => "der Überwachungs-App fehlt eine Berechtigung im Mandanten",
        Class::LicenceMissing => "der Mandant hat keine aktive Lizenz für die Bewertung",
        Class::PolicyBlocked => "eine Richtlinie des Mandanten blockiert die Anmeldung der Überwachungs-App",
        Class::ProxyRestricts => "das Netzwerk des Überwachungsdiensts blockiert die Anmeldung",
        Class::TenantBlocked => "Microsoft sperrt Anmeldungen beim Mandanten oder begrenzt sie für lange Zeit",
        Class::ConfigurationWrong => "der Überwachungsdienst ist für den Mandanten nicht richtig eingerichtet",
        Class::Throttled => "Microsoft begrenzt, wie oft abgefragt werden kann",
        Class::Unreachable => "der Überwachungsdienst erreicht Microsoft nicht",
        Class::MicrosoftDown => "der Dienst von Microsoft ist gestört oder antwortet nicht rechtzeitig",
        Class::TokenRefused => "Microsoft lehnt die Überwachungs-App trotz gelungener Anmeldung ab",
        Class::Garbage => "die Antworten von Microsoft sind unverständlich",
        Class::AnswerTooLarge => "die Antworten von Microsoft sind zu groß",
        Class::NoData => "die Antwort von Microsoft enthält keinen Wert",
        Class::SignInRefused => "Microsoft lehnt die Anmeldung der Überwachungs-App ab",
        Class::CallRefused => "Microsoft lehnt die Abfrage der Überwachungs-App ab",
        Class::CheckTimeout => "die Prüfung dauerte zu lange und wurde abgebrochen",
        Class::InternalError => "im Überwachungsdienst selbst ist ein Fehler aufgetreten",
    }
}

fn cause(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Lost => "hat Punkte verloren",
        CauseKind::Improved => "hat Punkte gewonnen",
        CauseKind::Added => "neue Maßnahme",
        CauseKind::Retired => "von Microsoft zurückgezogen oder nicht mehr lizenziert",
        CauseKind::Reweighted => "zählt eine andere Zahl von Punkten",
        CauseKind::Moved => "in eine andere Kategorie verschoben",
        CauseKind::Accounting => "von einer Person anders gewertet",
        CauseKind::Maximum => "die Höchstpunktzahl hat sich geändert",
        CauseKind::Unexplained => "durch Maßnahmen nicht erklärt",
        CauseKind::Likely => "wahrscheinliche Ursache",
    }
}

fn changed_by(who: ChangedBy) -> &'static str {
    match who {
        ChangedBy::Tenant => "Punkte gingen durch Änderungen im Mandanten verloren.",
        ChangedBy::Microsoft => "Punkte gingen verloren, weil Microsoft anders zählt.",
        ChangedBy::Product => "Punkte gingen verloren, weil ein Produkt hinzukam oder wegfiel.",
        ChangedBy::Both => "Punkte gingen durch Änderungen im Mandanten und durch Microsofts Zählweise verloren.",
        ChangedBy::Unknown => "",
    }
}

fn score(kind: ScoreKind, subject: Option<&str>) -> String {
    match (kind, subject) {
        (ScoreKind::DeviceSecureScore, _) => "Sicherheitsbewertung der Geräte".to_owned(),
        (ScoreKind::SecureScore, _) => "Sicherheitsbewertung".to_owned(),
        (ScoreKind::SecureScoreCategory, None) => "Sicherheitsbewertung nach Kategorie".to_owned(),
        (ScoreKind::SecureScoreCategory, Some(category)) => format!("Sicherheitsbewertung, {category}"),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, None) => "Expositionsbewertung".to_owned(),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, Some(group)) => {
            format!("Expositionsbewertung von {group}")
        }
    }
}
