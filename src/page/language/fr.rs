//! French.

use super::{Date, Plural, Words};
use crate::{
    domain::{FailureClass, ScoreKind, Severity},
    notify::reason::{CauseKind, ChangedBy},
};

pub(super) const WORDS: Words = Words {
    code: "fr",
    decimal: ",",
    colon: "\u{a0}:",
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
    month_goes_on: "Le mois n’est pas terminé\u{a0}: voici la situation à ce jour.",
    scores: "Scores",
    no_scores: "Aucun score n’a été lu ce mois-ci.",
    higher_is_better: "plus il est élevé, mieux c’est",
    lower_is_better: "plus il est bas, mieux c’est",
    unchanged: "inchangé",
    better: "en amélioration",
    worse: "en dégradation",
    lowest: "Minimum",
    highest: "Maximum",
    each_day: "dernière valeur de chaque jour",
    since_first_value: "par rapport à la première valeur du mois",
    changes: "Ce qui a fait évoluer le score de sécurité",
    lost: "Pertes",
    gained: "Gains",
    nothing_lost: "Aucun contrôle n’a fait perdre de points.",
    nothing_gained: "Aucun contrôle n’a fait gagner de points.",
    changes_not_asked: "L’effet des contrôles sur le score de sécurité n’a pas été demandé à Microsoft.",
    changes_no_record: "Microsoft n’a plus les données de ce mois\u{a0}: l’évolution ne peut pas être détaillée.",
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
    down_to: |value| format!("descendu jusqu’à {value} en cours de journée"),
    up_to: |value| format!("monté jusqu’à {value} en cours de journée"),
    checks_fail: |day, why| format!("Les vérifications échouent depuis le {day}\u{a0}: {why}."),
    failed: |why| format!("Microsoft n’a pas pu être interrogé\u{a0}: {why}."),
    class,
    other_class: "la raison n’est pas connue de cette version",
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

/// As the customer understands it, who knows neither our configuration nor our words.
fn class(class: FailureClass) -> &'static str {
    use FailureClass as Class;
    match class {
        Class::SecretUnreadable => {
            "le service de surveillance ne peut pas lire ses propres informations d’identification"
        }
        Class::SecretWrong => "Microsoft refuse les informations d’identification de l’application de surveillance",
        Class::SecretExpired => "les informations d’identification de l’application de surveillance ont expiré",
        Class::CertificateUnknown => "Microsoft ne connaît pas le certificat de l’application de surveillance",
        Class::FederationUnmatched => "Microsoft n’accepte pas le mode de connexion de l’application de surveillance",
        Class::ClockWrong => "l’horloge du service de surveillance n’est pas à l’heure",
        Class::ConsentMissing => {
            "le locataire n’a pas consenti à l’application de surveillance, ou a retiré son consentement"
        }
        Class::AppDisabled => "le locataire a désactivé l’application de surveillance",
        Class::TenantNotFound => "Microsoft ne trouve pas le locataire",
        Class::NotOnboarded => "le locataire n’a pas le produit Microsoft qui fournit le score",
        Class::RoleMissing => "il manque une autorisation à l’application de surveillance dans le locataire",
        Class::LicenceMissing => "le locataire n’a pas de licence active pour le score",
        Class::PolicyBlocked => "une stratégie du locataire bloque la connexion de l’application de surveillance",
        Class::ProxyRestricts => "le réseau du service de surveillance bloque la connexion",
        Class::TenantBlocked => "Microsoft bloque les connexions au locataire, ou les limite pour longtemps",
        Class::ConfigurationWrong => "le service de surveillance n’est pas bien configuré pour le locataire",
        Class::Throttled => "Microsoft limite la fréquence des requêtes",
        Class::Unreachable => "le service de surveillance ne parvient pas à joindre Microsoft",
        Class::MicrosoftDown => "le service de Microsoft est en panne, ou ne répond pas à temps",
        Class::TokenRefused => "Microsoft refuse l’application de surveillance bien qu’elle soit connectée",
        Class::Garbage => "les réponses de Microsoft sont incompréhensibles",
        Class::AnswerTooLarge => "les réponses de Microsoft sont trop volumineuses",
        Class::NoData => "la réponse de Microsoft ne contient aucune valeur",
        Class::SignInRefused => "Microsoft refuse la connexion de l’application de surveillance",
        Class::CallRefused => "Microsoft refuse la requête de l’application de surveillance",
        Class::CheckTimeout => "la vérification a duré trop longtemps et a été abandonnée",
        Class::InternalError => "le service de surveillance lui-même a rencontré une erreur",
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
        (ScoreKind::DeviceSecureScore, _) => "Score de sécurité des appareils".to_owned(),
        (ScoreKind::SecureScore, _) => "Score de sécurité".to_owned(),
        (ScoreKind::SecureScoreCategory, None) => "Score de sécurité par catégorie".to_owned(),
        (ScoreKind::SecureScoreCategory, Some(category)) => format!("Score de sécurité, {category}"),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, None) => "Score d’exposition".to_owned(),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, Some(group)) => {
            format!("Score d’exposition de {group}")
        }
    }
}
