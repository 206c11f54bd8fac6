//! Messages about fleet shifts, in German.

use super::{TENANTS_DATIVE, WORDS as GERMAN};
use crate::notify::language::shift::{Happened, ShiftMove, ShiftWords};

pub(super) const WORDS: ShiftWords = ShiftWords {
    headline,
    moved: |shift| format!("{} {}", shift.score, moved(shift)),
    points: |number| format!("{number} Punkte"),
    because_microsoft: "Microsoft hat die Bewertung geändert",
    because_tenants: "Punkte bei eigenen Maßnahmen verloren",
    apart: |tenants| format!("Einzeln gemeldet, weil die Änderung dort größer war: {tenants}."),
    notified_before: |tenants| {
        format!("Ebenso verändert, aber schon gemeldet, bevor sich die gemeinsame Änderung zeigte: {tenants}.")
    },
    unlisted: |left_out, alerts, id| {
        let are = if left_out == 1 { "ist" } else { "sind" };
        format!(
            "{left_out} von {alerts} Alarmen {are} hier nicht aufgeführt; `scorewatch alerts list --shift {id}` zeigt alle."
        )
    },
    probably_score: |is_one| {
        if is_one {
            "Wahrscheinlich hat sich die Bewertung selbst geändert und nicht dieser Mandant."
        } else {
            "Wahrscheinlich hat sich die Bewertung selbst geändert und nicht diese Mandanten."
        }
    },
    not_known: "Was sich geändert hat, ist nicht bekannt.",
    by_microsoft: |tenants| {
        at(
            tenants,
            "hat Microsoft die Bewertung geändert: Maßnahmen kamen hinzu oder wurden zurückgezogen, oder die Höchstpunktzahl hat sich geändert",
        )
    },
    by_tenants: |tenants| {
        at(tenants, "gingen Punkte bei bestehenden Maßnahmen verloren, und die Höchstpunktzahl ist unverändert")
    },
    by_both: |tenants| {
        at(tenants, "gingen Punkte bei bestehenden Maßnahmen verloren, und auch die Bewertung selbst hat sich geändert")
    },
    by_unknown: |tenants| at(tenants, "ist nicht bekannt, was sich geändert hat"),
    controls: |controls| format!("Maßnahmen, die Punkte verloren haben: {controls}."),
    average: |from, to| {
        format!("Microsofts eigener Durchschnitt aller Mandanten änderte sich am selben Tag von {from} auf {to}.")
    },
    done: "Es ist nichts mehr zu tun.",
    accepted: "Die Alarme sind als neues Niveau akzeptiert; es ist nichts mehr zu tun.",
    open: |id| format!("Jeder dieser offenen Alarme läuft weiter, bis er endet; {}.", accept(id)),
    partly_accepted: |accepted, id| {
        let are = if accepted == 1 { "1 Alarm ist".to_owned() } else { format!("{accepted} Alarme sind") };
        format!("{are} als neues Niveau akzeptiert; die übrigen laufen weiter, bis sie enden, oder {}.", accept(id))
    },
};

fn moved(ShiftMove { has_fallen, size, .. }: &ShiftMove<'_>) -> String {
    format!("um etwa {size} {}", if *has_fallen { "gefallen" } else { "gestiegen" })
}

fn headline(happened: &Happened, shift: &ShiftMove<'_>) -> String {
    let ShiftMove { score, tenants, .. } = shift;
    let at = format!("bei {}", GERMAN.counted(*tenants, TENANTS_DATIVE));
    let alerts = |count| GERMAN.counted(count, GERMAN.alerts);
    let moved = moved(shift);
    match happened {
        Happened::Escalations(count) => {
            format!("{} {at} nicht bestätigt: {score} {moved}", alerts(*count))
        }
        Happened::Reminders(count) => format!("{} {at} weiter offen: {score} {moved}", alerts(*count)),
        Happened::Accepted(count) => format!("{} {at} als neues Niveau akzeptiert: {score}", alerts(*count)),
        Happened::OneOfMany => format!("{score} {moved}, wie bei anderen Mandanten"),
        Happened::SharedControl(count) => {
            let tenants = GERMAN.counted(*count, GERMAN.tenants);
            let have = if *count == 1 { "hat" } else { "haben" };
            format!("{tenants} {have} Punkte bei derselben Maßnahme verloren")
        }
        Happened::AtOnce => format!("{score} {at} gleichzeitig {moved}"),
        Happened::More => {
            let more =
                if *tenants == 1 { "1 weiteren Mandanten".to_owned() } else { format!("{tenants} weiteren Mandanten") };
            format!("{score} bei {more} {moved}")
        }
    }
}

fn at(tenants: usize, what: &str) -> String {
    format!("Bei {} {what}.", GERMAN.counted(tenants, TENANTS_DATIVE))
}

fn accept(id: &str) -> String {
    format!("`scorewatch alerts accept --shift {id}` akzeptiert das neue Niveau")
}
