//! German, in which people are addressed as „Sie“.
//!
//! One word for one thing, as Microsoft's German portals and pages say it:
//!
//! | English | German |
//! | --- | --- |
//! | alert | Alarm |
//! | channel, receiver | Kanal, Empfänger |
//! | check (of a tenant) | Prüfung |
//! | client secret, certificate, credential | geheimer Clientschlüssel, Zertifikat, Anmeldeinformationen |
//! | control (of the secure score) | Maßnahme |
//! | dead letter | unzustellbare Meldung |
//! | device | Gerät |
//! | drill | Probealarm |
//! | exposed, exposure score | gefährdet, Expositionsbewertung (in langen Überschriften: Exposition) |
//! | message, notification | Meldung |
//! | points | Punkte |
//! | reading | Messwert |
//! | recommendation | Empfehlung |
//! | report | Bericht |
//! | rule, condition | Regel, Bedingung |
//! | runbook | Anleitung |
//! | score, secure score | Bewertung, Sicherheitsbewertung (der Geräte; in langen Überschriften: Gerätebewertung) |
//! | severity: critical, warning, info | Schweregrad: kritisch, Warnung, Hinweis |
//! | tenant | Mandant |

mod alert;
mod clause;
mod configuration;
mod line;
mod operator;
mod reason;
mod shift;
mod silence;

use super::{Place, Plural, Words, noun};
use crate::{
    domain::{ScoreKind, Severity, Unit},
    rule::{BaselineChoice, Change, Condition, Size},
};

pub(super) static WORDS: Words = Words {
    code: "de",
    decimal: ",",
    before_percent: "\u{a0}",
    before_colon: "",
    is_one: |number| number == "1",
    time: |shown, zone| format!("{} {zone}", shown.strftime("%d.%m.%Y %H:%M")),
    day: |day| day.strftime("%d.%m.%Y").to_string(),
    zone: |abbreviation| match abbreviation {
        "CET" => "MEZ",
        "CEST" => "MESZ",
        other => other,
    },
    units: [noun("Tag", "Tage"), noun("Stunde", "Stunden"), noun("Minute", "Minuten")],
    units_after_preposition: [noun("Tag", "Tagen"), noun("Stunde", "Stunden"), noun("Minute", "Minuten")],
    less_than_a_minute: ["weniger als eine Minute", "weniger als einer Minute"],
    condition,
    severity,
    score,
    short_score: |kind, subject| {
        let whole = score(kind, subject);
        whole
            .strip_prefix("Sicherheitsbewertung der Geräte")
            .map(|rest| format!("Gerätebewertung{rest}"))
            .or_else(|| whole.strip_prefix("Expositionsbewertung").map(|rest| format!("Exposition{rest}")))
            .unwrap_or(whole)
    },
    is_capital_after_colon: true,
    scores: noun("Bewertung", "Bewertungen"),
    all_scores: "alle Bewertungen",
    points: noun("Punkt", "Punkte"),
    percentage_points: noun("Prozentpunkt", "Prozentpunkte"),
    alerts: noun("Alarm", "Alarme"),
    tenants: noun("Mandant", "Mandanten"),
    messages: noun("Meldung", "Meldungen"),
    alert: alert::WORDS,
    line: line::WORDS,
    shift: shift::WORDS,
    reason: reason::WORDS,
    operator: operator::WORDS,
};

/// Tenants after a preposition that asks for the dative: „bei 1 Mandanten“.
const TENANTS_DATIVE: Plural = noun("Mandanten", "Mandanten");

fn condition(condition: &Condition, words: &Words, unit: Option<Unit>) -> String {
    let change = |what: &str, change: &Change| {
        let size = match change.size {
            Size::Percent(percent) => words.percent(&percent.to_string()),
            Size::Points(points) => words.with_noun(&points.to_string(), words.points),
        };
        let from = match change.from {
            BaselineChoice::Best => "",
            BaselineChoice::Previous => " gegenüber dem vorigen Wert",
            BaselineChoice::Average => " gegenüber dem Durchschnitt",
        };
        format!("{what} um {size} innerhalb von {}{from}", words.duration(change.within, Place::AfterPreposition))
    };
    match condition {
        Condition::Below(bound) => format!("unter {}", words.bound(*bound, unit)),
        Condition::Above(bound) => format!("über {}", words.bound(*bound, unit)),
        Condition::Drop(by) => change("Rückgang", by),
        Condition::Rise(by) => change("Anstieg", by),
        Condition::NoData(time) => format!("seit {} keine Daten", words.duration(*time, Place::AfterPreposition)),
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "kritisch",
        Severity::Warning => "Warnung",
        Severity::Info => "Hinweis",
    }
}

fn score(kind: ScoreKind, subject: Option<&str>) -> String {
    match (kind, subject) {
        (ScoreKind::DeviceSecureScore, None) => "Sicherheitsbewertung der Geräte".to_owned(),
        (ScoreKind::DeviceSecureScore, Some(subject)) => format!("Sicherheitsbewertung der Geräte von {subject}"),
        (ScoreKind::SecureScore, None) => "Sicherheitsbewertung".to_owned(),
        (ScoreKind::SecureScore, Some(subject)) => format!("Sicherheitsbewertung von {subject}"),
        (ScoreKind::SecureScoreCategory, None) => "Sicherheitsbewertung nach Kategorie".to_owned(),
        (ScoreKind::SecureScoreCategory, Some(category)) => format!("Sicherheitsbewertung für {category}"),
        (ScoreKind::ExposureScoreByGroup, None) => "Expositionsbewertung nach Gerätegruppe".to_owned(),
        (ScoreKind::ExposureScore, None) => "Expositionsbewertung".to_owned(),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, Some(group)) => {
            format!("Expositionsbewertung von {group}")
        }
    }
}
