//! French, in which people are addressed as « vous ».
//!
//! One word for one thing, as Microsoft's French portals and pages say it:
//!
//! | English | French |
//! | --- | --- |
//! | alert | alerte |
//! | channel, receiver | canal, destinataire |
//! | check (of a tenant) | vérification |
//! | client secret, certificate, credential | clé secrète client, certificat, informations d’identification |
//! | control (of the secure score) | contrôle |
//! | dead letter | message non remis |
//! | device | appareil |
//! | drill | exercice |
//! | exposed, exposure score | exposé, score d’exposition (dans un titre trop long : exposition) |
//! | message, notification | message |
//! | points | points |
//! | reading | relevé |
//! | recommendation | recommandation |
//! | report | rapport |
//! | rule, condition | règle, condition |
//! | runbook | procédure |
//! | score, secure score | score, score de sécurité (des appareils ; dans un titre trop long : score des appareils) |
//! | severity: critical, warning, info | gravité : critique, avertissement, information |
//! | tenant | locataire |

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
    code: "fr",
    decimal: ",",
    before_percent: "\u{202f}",
    before_colon: "\u{a0}",
    // Zero, one and what lies between them and two go with the singular.
    is_one: |number| number.parse::<f64>().is_ok_and(|number| number < 2.0),
    time: |shown, zone| format!("{} {zone}", shown.strftime("%d/%m/%Y à %H:%M")),
    day: |day| day.strftime("%d/%m/%Y").to_string(),
    zone: |abbreviation| abbreviation,
    units: UNITS,
    units_after_preposition: UNITS,
    less_than_a_minute: ["moins d’une minute"; 2],
    condition,
    severity,
    score,
    short_score: |kind, subject| {
        let whole = score(kind, subject);
        whole
            .strip_prefix("score de sécurité des appareils")
            .map(|rest| format!("score des appareils{rest}"))
            .or_else(|| whole.strip_prefix("score d’exposition").map(|rest| format!("exposition{rest}")))
            .unwrap_or(whole)
    },
    is_capital_after_colon: false,
    scores: noun("score", "scores"),
    all_scores: "tous les scores",
    points: noun("point", "points"),
    percentage_points: noun("point de pourcentage", "points de pourcentage"),
    alerts: noun("alerte", "alertes"),
    tenants: noun("locataire", "locataires"),
    messages: noun("message", "messages"),
    alert: alert::WORDS,
    line: line::WORDS,
    shift: shift::WORDS,
    reason: reason::WORDS,
    operator: operator::WORDS,
};

const UNITS: [Plural; 3] = [noun("jour", "jours"), noun("heure", "heures"), noun("minute", "minutes")];

fn condition(condition: &Condition, words: &Words, unit: Option<Unit>) -> String {
    let change = |what: &str, change: &Change| {
        let size = match change.size {
            Size::Percent(percent) => words.percent(&percent.to_string()),
            Size::Points(points) => words.with_noun(&points.to_string(), words.points),
        };
        let from = match change.from {
            BaselineChoice::Best => "",
            BaselineChoice::Previous => " par rapport à la valeur précédente",
            BaselineChoice::Average => " par rapport à la moyenne",
        };
        format!("{what} de {size} en {}{from}", words.duration(change.within, Place::AfterPreposition))
    };
    match condition {
        Condition::Below(bound) => format!("au-dessous de {}", words.bound(*bound, unit)),
        Condition::Above(bound) => format!("au-dessus de {}", words.bound(*bound, unit)),
        Condition::Drop(by) => change("baisse", by),
        Condition::Rise(by) => change("hausse", by),
        Condition::NoData(time) => {
            format!("aucune donnée depuis {}", words.duration(*time, Place::AfterPreposition))
        }
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critique",
        Severity::Warning => "avertissement",
        Severity::Info => "information",
    }
}

fn score(kind: ScoreKind, subject: Option<&str>) -> String {
    match (kind, subject) {
        (ScoreKind::DeviceSecureScore, None) => "score de sécurité des appareils".to_owned(),
        (ScoreKind::DeviceSecureScore, Some(subject)) => format!("score de sécurité des appareils de {subject}"),
        (ScoreKind::SecureScore, None) => "score de sécurité".to_owned(),
        (ScoreKind::SecureScore, Some(subject)) => format!("score de sécurité de {subject}"),
        (ScoreKind::SecureScoreCategory, None) => "score de sécurité par catégorie".to_owned(),
        (ScoreKind::SecureScoreCategory, Some(category)) => format!("score de sécurité pour {category}"),
        (ScoreKind::ExposureScoreByGroup, None) => "score d’exposition par groupe d’appareils".to_owned(),
        (ScoreKind::ExposureScore, None) => "score d’exposition".to_owned(),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, Some(group)) => {
            format!("score d’exposition de {group}")
        }
    }
}
