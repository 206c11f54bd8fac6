//! Lines of digests, outages and reports, in German.

use super::{TENANTS_DATIVE, WORDS as GERMAN};
use crate::{domain::Severity, notify::language::line::LineWords};

pub(super) const WORDS: LineWords = LineWords {
    names_and: |names, more| format!("{names} und {more} weitere"),
    and_more: |count| format!("… und {count} weitere"),
    and_more_of: |count, which| format!("… und {count} weitere: {which}"),
    others: |count| format!("{count} andere"),
    all_of_them: |id| format!("Alle anzeigen: scorewatch deliveries show {id}"),
    severities: |count, severity| match severity {
        Severity::Critical => format!("{count} kritisch"),
        Severity::Warning if count == 1 => "1 Warnung".to_owned(),
        Severity::Warning => format!("{count} Warnungen"),
        Severity::Info if count == 1 => "1 Hinweis".to_owned(),
        Severity::Info => format!("{count} Hinweise"),
    },
    ended: |count| format!("{count} beendet"),
    alerts_at: |alerts, tenants| format!("{}{}", GERMAN.counted(alerts, GERMAN.alerts), at(tenants)),
    alerts_ended_at: |alerts, tenants| format!("{}{} beendet", GERMAN.counted(alerts, GERMAN.alerts), at(tenants)),
    messages_about_scorewatch: |count| format!("{} zu Scorewatch selbst", GERMAN.counted(count, GERMAN.messages)),
    about_scorewatch: |count| format!("{count} zu Scorewatch selbst"),
    no_data: "keine Daten",
    excluded: |count| format!("{count} {} außer Acht gelassen", if count == 1 { "Maßnahme" } else { "Maßnahmen" }),
    after: |lasted| format!("nach {lasted}"),
    readable_again: |tenants| format!("{} wieder abrufbar", GERMAN.counted(tenants, GERMAN.tenants)),
    still_without_data: |tenants| format!("{} weiterhin ohne Daten", GERMAN.counted(tenants, GERMAN.tenants)),
    without_data: |tenants| format!("{} ohne Daten", GERMAN.counted(tenants, GERMAN.tenants)),
    report: |tenants, from, until| {
        format!("Bericht zu {}, {from} bis {until}", GERMAN.counted(tenants, TENANTS_DATIVE))
    },
    no_alert: "Kein Alarm ist offen",
    firing: "Offene Alarme",
    all_read: "Alle Mandanten sind abrufbar",
    unread: "Nicht abrufbar",
    since: |at| format!("seit {at}"),
    messages_here: "Meldungen an diesen Kanal",
    held: |count| format!("{count} zurückgehalten"),
    given_up: |count| format!("{count} aufgegeben"),
    nothing_moved: "Keine Bewertung hat sich geändert",
    worse: "Schlechter",
    better: "Besser",
    excluding: |tenants| {
        format!("Ohne ausgenommene Maßnahmen: Sicherheitsbewertung von {}", GERMAN.counted(tenants, TENANTS_DATIVE))
    },
    more_of_score: |count, score| format!("{count} weitere ({score})"),
};

fn at(tenants: usize) -> String {
    if tenants > 0 { format!(" bei {}", GERMAN.counted(tenants, TENANTS_DATIVE)) } else { String::new() }
}
