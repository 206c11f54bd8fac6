//! Messages about one alert, in French.

use super::WORDS as FRENCH;
use crate::notify::language::{
    Place,
    alert::{AlertWords, End, EndReason, FactName, Lack, LinkTo, Subject},
};

pub(super) const WORDS: AlertWords = AlertWords {
    still: |name, value| format!("{name} toujours à {value}"),
    keeps_changing: |name| format!("{name} change sans cesse"),
    worsened: |name, value, previous| match previous {
        Some(previous) => format!("{name} en dégradation de {previous} à {value}"),
        None => format!("{name} en dégradation à {value}"),
    },
    fell: |name, from, to| format!("{name} en baisse de {from} à {to}"),
    rose: |name, from, to| format!("{name} en hausse de {from} à {to}"),
    is: |name, value| format!("{name} à {value}"),
    overall: |moved| format!("{moved} au total"),
    moved_from: |moved, from| format!("{moved} par rapport à {from}"),
    higher_is_worse: "une hausse est défavorable",
    ended,
    without_data,
    test_mark: "TEST\u{a0}: ",
    escalated_mark: "ESCALADE\u{a0}: ",
    can_be_reached: "Ce canal est joignable",
    is_drill: "EXERCICE\u{a0}: simple test de ce canal, il ne s’est rien passé",
    is_over: "L’alerte est terminée",
    drill_reason: "Ce message montre que les messages arrivent sur ce canal.",
    drill_step: "Appuyez sur le bouton pour confirmer que vous voyez ce message.",
    what_to_do: "Que faire",
    fact,
    not_acknowledged: "non",
    not_acknowledged_within: |after, since| format!("non prise en compte depuis le {since}, plus de {after}"),
    are_excluded: |count| {
        if count < 2 { format!("{count} contrôle est exclu") } else { format!("{count} contrôles sont exclus") }
    },
    until_day: |day| format!("jusqu’au {day}"),
    until_next_check: "jusqu’à la prochaine vérification",
    with_them: |count, value| format!("{}\u{a0}: {value}", if count < 2 { "Avec lui" } else { "Avec eux" }),
    of: |one, other| format!("{one} sur {other}"),
    before: |now, before| format!("{now} (auparavant\u{a0}: {before})"),
    period: |from, until, lasted| format!("{from} au {until} ({lasted})"),
    gained: |loss| format!("gain de {loss}"),
    lost: |loss| format!("perte de {loss}"),
    regressed: "Ce qui s’est dégradé",
    likely: "Causes probables",
    changed: "Ce qui a changé",
    new_mark: "Nouveau\u{a0}: ",
    retired_mark: "Retiré\u{a0}: ",
    to_earn: |points| format!("{points} à gagner"),
    up_to: |points| format!("jusqu’à {points}"),
    exposed: |count, total| {
        let exposed = if count < 2 { "appareil exposé" } else { "appareils exposés" };
        format!("{count} {exposed} sur {total}")
    },
    state_worsened: "aggravée",
    state_firing: "toujours active",
    state_over: "terminée",
    state_unstable: "instable",
    earlier: |count| {
        if count < 2 {
            format!("remplace {count} message antérieur")
        } else {
            format!("remplace {count} messages antérieurs")
        }
    },
    possible_duplicate: "doublon possible",
    test: "test",
    drill: "exercice",
    link,
};

/// What an alert is about, after « sur ».
fn about(Subject { text, is_plural }: &Subject) -> String {
    match text.chars().next() {
        _ if *is_plural => text.clone(),
        // The short name of the exposure score.
        Some('e') => format!("l’{text}"),
        _ => format!("le {text}"),
    }
}

fn ended(subject: &Subject, end: &End<'_>) -> String {
    let (name, about) = (&subject.text, about(subject));
    let readable = if subject.is_plural { "accessibles" } else { "accessible" };
    match end {
        End::Accepted(value) => format!("alerte sur {about} terminée\u{a0}: {value} accepté"),
        End::Because(reason) => {
            let reason = match reason {
                EndReason::Accepted => "acceptée",
                EndReason::RuleChanged => "règle modifiée",
                EndReason::RuleRemoved => "règle supprimée",
                EndReason::TenantRemoved => "locataire supprimé",
                EndReason::SubjectRemoved => "n’est plus interrogé",
            };
            format!("alerte sur {about} terminée\u{a0}: {reason}")
        }
        End::Over => format!("alerte sur {about} terminée"),
        End::ReadAgain(Some(value)) => format!("{name} de nouveau {readable}\u{a0}: {value}"),
        End::ReadAgain(None) => format!("{name} de nouveau {readable}"),
        End::Recovered(value) => format!("{name} de retour à {value}"),
    }
}

fn without_data(Subject { text: name, .. }: &Subject, lack: &Lack) -> String {
    let lasted = |lasted| FRENCH.briefly(lasted, Place::AfterPreposition);
    match lack {
        Lack::More { total, before } => format!("{total} scores sans données, contre {before} auparavant"),
        Lack::Still(time) => format!("{name} toujours sans données après {}", lasted(*time)),
        Lack::For(time) => format!("{name} sans données depuis {}", lasted(*time)),
        Lack::Unknown => format!("{name} sans données"),
    }
}

fn fact(name: FactName) -> &'static str {
    match name {
        FactName::Scores => "Scores",
        FactName::RemainingLoss => "Perte restante",
        FactName::Loss => "Perte",
        FactName::Direction => "Sens",
        FactName::Points => "Points",
        FactName::LastReading => "Dernier relevé",
        FactName::Excluded => "Exclus",
        FactName::Since => "Depuis",
        FactName::Acknowledged => "Prise en compte",
        FactName::Escalated => "Escalade",
        FactName::Severity => "Gravité",
        FactName::Rule => "Règle",
        FactName::Class => "Type d’erreur",
        FactName::Channel => "Canal",
        FactName::Expires => "Expire le",
        FactName::From => "Du",
        FactName::Until => "Au",
        FactName::Tenant => "Locataire",
        FactName::Labels => "Étiquettes",
    }
}

fn link(to: LinkTo) -> &'static str {
    match to {
        LinkTo::Confirmation => "J’ai vu\u{a0}: confirmer",
        LinkTo::AppRegistration => "Inscription de l’app",
        LinkTo::Consent => "Page de consentement",
        LinkTo::EnterpriseApps => "Applis d’entreprise",
        LinkTo::SignInLogs => "Journaux de connexion",
        LinkTo::ErrorCode => "Voir le code d’erreur",
        LinkTo::ConditionalAccess => "Accès conditionnel",
        LinkTo::PowerAutomate => "Ouvrir Power Automate",
        LinkTo::SlackApps => "Applications Slack",
        LinkTo::PagingService => "Ouvrir PagerDuty",
        LinkTo::Settings => "Ouvrir les paramètres",
        LinkTo::SecureScore => "Score de sécurité",
        LinkTo::VulnerabilityManagement => "Ouvrir Defender",
        LinkTo::Portal => "Portail Microsoft",
        LinkTo::Runbook => "Ouvrir la procédure",
        LinkTo::Alert => "Ouvrir l’alerte",
        LinkTo::Channels => "Ouvrir les canaux",
        LinkTo::Dashboard => "Tableau de bord",
    }
}
