//! French.

use super::{Date, Plural, Words};
use crate::{
    domain::{ScoreKind, Severity},
    notify::reason::{CauseKind, ChangedBy},
};

pub(super) const WORDS: Words = Words {
    code: "fr",
    decimal: ",",
    before_percent: "\u{202f}",
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    title: "Rapport de sécurité",
    tenant_id: "ID du locataire",
    month_goes_on: "Le mois n’est pas terminé : voici la situation à ce jour.",
    scores: "Scores",
    no_scores: "Aucun score n’a été lu ce mois-ci.",
    higher_is_better: "plus il est élevé, mieux c’est",
    lower_is_better: "plus il est bas, mieux c’est",
    unchanged: "inchangé",
    better: "en progrès",
    worse: "en recul",
    lowest: "Minimum",
    highest: "Maximum",
    since_first_value: "par rapport à la première valeur du mois",
    changes: "Ce qui a fait évoluer le degré de sécurisation",
    lost: "Pertes",
    gained: "Gains",
    nothing_lost: "Aucun contrôle n’a fait perdre de points.",
    nothing_gained: "Aucun contrôle n’a fait gagner de points.",
    changes_not_asked: "L’effet des contrôles sur le degré de sécurisation n’a pas été demandé à Microsoft.",
    changes_no_record: "Microsoft n’a plus les données de ce mois : l’évolution ne peut pas être détaillée.",
    alerts: "Alertes ouvertes",
    no_alerts: "Aucune alerte n’est ouverte.",
    whole_tenant: "tous les scores",
    acknowledged: "prise en compte",
    actions: "Prochaines actions",
    no_actions: "Rien à recommander.",
    points: Plural { one: "point", other: "points", is_one: |number| number < 2.0 },
    percentage_points: Plural {
        one: "point de pourcentage",
        other: "points de pourcentage",
        is_one: |number| number < 2.0,
    },
    more: |count| if count < 2 { format!("et {count} autre") } else { format!("et {count} autres") },
    since: |day| format!("depuis le {day}"),
    made_at: |day| format!("Situation au {day}"),
    excluded: |controls, day| match controls {
        1 => format!("Les alertes, les changements et les prochaines actions excluent 1 contrôle jusqu’au {day}"),
        controls => {
            format!(
                "Les alertes, les changements et les prochaines actions excluent {controls} contrôles jusqu’au {day}"
            )
        }
    },
    no_value_on: |days| {
        if days == 1 {
            "aucune valeur pendant 1 jour".to_owned()
        } else {
            format!("aucune valeur pendant {days} jours")
        }
    },
    first_value_on: |day| format!("première valeur le {day}"),
    checks_fail: |day, class| format!("Les lectures échouent depuis le {day} ({class})."),
    failed: |class| format!("Microsoft n’a pas pu être interrogé ({class})."),
    day,
    severity,
    cause,
    changed_by,
    score,
};

fn day(Date { day, month, year }: Date) -> String {
    let ending = if day == 1 { "er" } else { "" };
    format!("{day}{ending} {month} {year}")
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critique",
        Severity::Warning => "avertissement",
        Severity::Info => "information",
    }
}

fn cause(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Lost => "a perdu des points",
        CauseKind::Improved => "a gagné des points",
        CauseKind::Added => "nouveau contrôle",
        CauseKind::Retired => "retiré par Microsoft ou sans licence",
        CauseKind::Reweighted => "vaut un autre nombre de points",
        CauseKind::Moved => "déplacé vers une autre catégorie",
        CauseKind::Accounting => "compté autrement par une personne",
        CauseKind::Maximum => "le maximum a changé",
        CauseKind::Unexplained => "non expliqué par les contrôles",
        CauseKind::Likely => "cause probable",
    }
}

fn changed_by(who: ChangedBy) -> &'static str {
    match who {
        ChangedBy::Tenant => "Des points ont été perdus par des changements chez le locataire.",
        ChangedBy::Microsoft => "Des points ont été perdus parce que Microsoft compte autrement.",
        ChangedBy::Product => "Des points ont été perdus parce qu’un produit a été ajouté ou retiré.",
        ChangedBy::Both => {
            "Des points ont été perdus par des changements chez le locataire et parce que Microsoft compte autrement."
        }
        ChangedBy::Unknown => "",
    }
}

fn score(kind: ScoreKind, subject: Option<&str>) -> String {
    match (kind, subject) {
        (ScoreKind::DeviceSecureScore, _) => "Degré de sécurisation des appareils".to_owned(),
        (ScoreKind::SecureScore, _) => "Degré de sécurisation".to_owned(),
        (ScoreKind::SecureScoreCategory, None) => "Degré de sécurisation par catégorie".to_owned(),
        (ScoreKind::SecureScoreCategory, Some(category)) => format!("Degré de sécurisation, {category}"),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, None) => "Score d’exposition".to_owned(),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, Some(group)) => {
            format!("Score d’exposition de {group}")
        }
    }
}
