//! Lines of digests, outages and reports, in French.

use super::WORDS as FRENCH;
use crate::{domain::Severity, notify::language::line::LineWords};

pub(super) const WORDS: LineWords = LineWords {
    names_and: |names, more| format!("{names} et {more} {}", others(more)),
    and_more: |count| format!("… et {count} {}", others(count)),
    and_more_of: |count, which| format!("… et {count} {}\u{a0}: {which}", others(count)),
    others: |count| format!("{count} {}", others(count)),
    all_of_them: |id| format!("Tout afficher\u{a0}: scorewatch deliveries show {id}"),
    severities: |count, severity| {
        let (one, other) = match severity {
            Severity::Critical => ("critique", "critiques"),
            Severity::Warning => ("avertissement", "avertissements"),
            Severity::Info => ("information", "informations"),
        };
        format!("{count} {}", if count < 2 { one } else { other })
    },
    ended: |count| format!("{count} {}", ended(count)),
    alerts_at: |alerts, tenants| format!("{}{}", FRENCH.counted(alerts, FRENCH.alerts), at(tenants)),
    alerts_ended_at: |alerts, tenants| {
        format!("{} {}{}", FRENCH.counted(alerts, FRENCH.alerts), ended(alerts), at(tenants))
    },
    messages_about_scorewatch: |count| format!("{} sur Scorewatch lui-même", FRENCH.counted(count, FRENCH.messages)),
    about_scorewatch: |count| format!("{count} sur Scorewatch lui-même"),
    no_data: "sans données",
    excluded: |count| if count < 2 { format!("{count} contrôle exclu") } else { format!("{count} contrôles exclus") },
    after: |lasted| format!("après {lasted}"),
    readable_again: |tenants| {
        let readable = if tenants < 2 { "accessible" } else { "accessibles" };
        format!("{} de nouveau {readable}", FRENCH.counted(tenants, FRENCH.tenants))
    },
    still_without_data: |tenants| format!("{} toujours sans données", FRENCH.counted(tenants, FRENCH.tenants)),
    without_data: |tenants| format!("{} sans données", FRENCH.counted(tenants, FRENCH.tenants)),
    report: |tenants, from, until| {
        let plain = |time: &str| time.replace(" à ", " ");
        format!("Rapport sur {}, du {} au {}", FRENCH.counted(tenants, FRENCH.tenants), plain(from), plain(until))
    },
    no_alert: "Aucune alerte n’est ouverte",
    firing: "Alertes ouvertes",
    all_read: "Tous les locataires sont accessibles",
    unread: "Inaccessibles",
    since: |at| format!("depuis le {at}"),
    messages_here: "Messages pour ce canal",
    held: |count| format!("{count} {}", if count < 2 { "retenu" } else { "retenus" }),
    given_up: |count| format!("{count} {}", if count < 2 { "abandonné" } else { "abandonnés" }),
    nothing_moved: "Aucun score n’a changé",
    worse: "Dégradation",
    better: "Amélioration",
    excluding: |tenants| {
        let of = FRENCH.counted(tenants, FRENCH.tenants);
        format!("Sans les contrôles exclus\u{a0}: score de sécurité de {of}")
    },
    more_of_score: |count, score| format!("{count} {} ({score})", others(count)),
};

const fn others(count: usize) -> &'static str {
    if count < 2 { "autre" } else { "autres" }
}

const fn ended(count: usize) -> &'static str {
    if count < 2 { "terminée" } else { "terminées" }
}

fn at(tenants: usize) -> String {
    if tenants > 0 { format!(" chez {}", FRENCH.counted(tenants, FRENCH.tenants)) } else { String::new() }
}
