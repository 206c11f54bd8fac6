//! Messages about fleet shifts, in French.

use super::WORDS as FRENCH;
use crate::notify::language::shift::{Happened, ShiftMove, ShiftWords};

pub(super) const WORDS: ShiftWords = ShiftWords {
    headline,
    moved: |shift| format!("{} {}", shift.score, moved(shift)),
    points: |number| format!("{number} points"),
    because_microsoft: "Microsoft a modifié le score",
    because_tenants: "points perdus sur leurs propres contrôles",
    apart: |tenants| format!("Signalés à part, car leur écart est plus grand\u{a0}: {tenants}."),
    notified_before: |tenants| {
        format!("Ont évolué de même, mais avaient déjà été signalés avant que cela n’apparaisse\u{a0}: {tenants}.")
    },
    unlisted: |left_out, alerts, id| {
        let (noun, are) =
            if left_out < 2 { ("alerte", "n’est pas affichée") } else { ("alertes", "ne sont pas affichées") };
        format!(
            "{left_out} {noun} sur {alerts} {are} ici\u{a0}; `scorewatch alerts list --shift {id}` les affiche toutes."
        )
    },
    probably_score: |is_one| {
        if is_one {
            "C’est probablement le score qui a changé, et non ce locataire."
        } else {
            "C’est probablement le score qui a changé, et non ces locataires."
        }
    },
    not_known: "Ce qui a changé n’est pas connu.",
    by_microsoft: |tenants| {
        at(
            tenants,
            "Microsoft a modifié le score\u{a0}: des contrôles ont été ajoutés ou retirés, ou le maximum a changé",
        )
    },
    by_tenants: |tenants| {
        at(tenants, "des points ont été perdus sur des contrôles conservés, et le maximum est inchangé")
    },
    by_both: |tenants| {
        at(tenants, "des points ont été perdus sur des contrôles conservés, et le score lui-même a aussi changé")
    },
    by_unknown: |tenants| at(tenants, "ce qui a changé n’est pas connu"),
    controls: |controls| format!("Contrôles qui ont perdu des points\u{a0}: {controls}."),
    average: |from, to| {
        format!("La moyenne de tous les locataires selon Microsoft est passée de {from} à {to} le même jour.")
    },
    done: "Il n’y a plus rien à faire.",
    accepted: "Les alertes sont acceptées comme nouveau niveau\u{a0}; il n’y a plus rien à faire.",
    open: |id| format!("Chaque alerte ouverte le reste jusqu’à sa fin\u{a0}; {}.", accept(id)),
    partly_accepted: |accepted, id| {
        let are = if accepted < 2 {
            format!("{accepted} alerte est acceptée")
        } else {
            format!("{accepted} alertes sont acceptées")
        };
        format!("{are} comme nouveau niveau\u{a0}; les autres restent ouvertes jusqu’à leur fin, ou {}.", accept(id))
    },
};

fn moved(ShiftMove { has_fallen, size, .. }: &ShiftMove<'_>) -> String {
    format!("en {} d’environ {size}", if *has_fallen { "baisse" } else { "hausse" })
}

fn headline(happened: &Happened, shift: &ShiftMove<'_>) -> String {
    let ShiftMove { score, tenants, .. } = shift;
    let at = format!("chez {}", FRENCH.counted(*tenants, FRENCH.tenants));
    let alerts = |count| FRENCH.counted(count, FRENCH.alerts);
    let moved = moved(shift);
    match happened {
        Happened::Reminders(count) => {
            let open = if *count < 2 { "ouverte" } else { "ouvertes" };
            format!("{} toujours {open} {at}\u{a0}: {score} {moved}", alerts(*count))
        }
        Happened::Escalations(count) => {
            let seen = if *count < 2 { "prise en compte" } else { "prises en compte" };
            format!("{} non {seen} {at}\u{a0}: {score} {moved}", alerts(*count))
        }
        Happened::Accepted(count) => {
            let accepted = if *count < 2 { "acceptée" } else { "acceptées" };
            format!("{} {accepted} {at} comme nouveau niveau du {score}", alerts(*count))
        }
        Happened::OneOfMany => format!("{score} {moved}, comme chez d’autres locataires"),
        Happened::SharedControl(count) => {
            let have = if *count < 2 { "a" } else { "ont" };
            format!("{} {have} perdu des points sur le même contrôle", FRENCH.counted(*count, FRENCH.tenants))
        }
        Happened::AtOnce => format!("{score} {moved} simultanément {at}"),
        Happened::More => {
            let more = if *tenants < 2 { "autre locataire" } else { "autres locataires" };
            format!("{score} {moved} chez {tenants} {more}")
        }
    }
}

fn at(tenants: usize, what: &str) -> String {
    format!("Chez {}, {what}.", FRENCH.counted(tenants, FRENCH.tenants))
}

fn accept(id: &str) -> String {
    format!("`scorewatch alerts accept --shift {id}` accepte le nouveau niveau")
}
