//! Messages about fleet shifts, in English.

use super::WORDS as ENGLISH;
use crate::notify::language::shift::{Happened, ShiftMove, ShiftWords};

pub(super) const WORDS: ShiftWords = ShiftWords {
    headline,
    moved: |ShiftMove { score, has_fallen, size, .. }| {
        format!("{score} {} by about {size}", if *has_fallen { "fell" } else { "rose" })
    },
    points: |number| format!("{number} points"),
    because_microsoft: "Microsoft changed the score",
    because_tenants: "they lost points on their own controls",
    apart: |tenants| format!("Reported on their own because they moved farther: {tenants}."),
    notified_before: |tenants| {
        format!("Moved the same way, and were reported before the shift was detected: {tenants}.")
    },
    unlisted: |left_out, alerts, id| {
        let are = if left_out == 1 { "is" } else { "are" };
        format!(
            "{left_out} of {alerts} alerts {are} not listed here; `scorewatch alerts list --shift {id}` shows all of them."
        )
    },
    probably_score: |is_one| {
        if is_one {
            "This is probably a change in the score, not in this tenant."
        } else {
            "This is probably a change in the score, not in these tenants."
        }
    },
    not_known: "What changed is not known.",
    by_microsoft: |tenants| {
        at(tenants, "Microsoft changed the score: controls were added or retired, or the maximum changed")
    },
    by_tenants: |tenants| at(tenants, "points were lost on existing controls, and the maximum is unchanged"),
    by_both: |tenants| at(tenants, "points were lost on existing controls, and the score itself changed, too"),
    by_unknown: |tenants| at(tenants, "what changed is not known"),
    controls: |controls| format!("Controls that lost points: {controls}."),
    average: |from, to| format!("Microsoft's own average of all tenants went from {from} to {to} on the same day."),
    done: "Nothing is left to do.",
    accepted: "The alerts are accepted as the new level; nothing is left to do.",
    open: |id| format!("Each firing alert here continues until it resolves; {}.", accept(id)),
    partly_accepted: |accepted, id| {
        let are = if accepted == 1 { "1 alert is".to_owned() } else { format!("{accepted} alerts are") };
        format!("{are} accepted as the new level; the others continue until they resolve, or until {}.", accept(id))
    },
};

fn headline(happened: &Happened, ShiftMove { score, has_fallen, size, tenants: count }: &ShiftMove<'_>) -> String {
    let tenants = ENGLISH.counted(*count, ENGLISH.tenants);
    let moved = format!("{} by about {size}", if *has_fallen { "fell" } else { "rose" });
    let alerts = |count| ENGLISH.counted(count, ENGLISH.alerts);
    match happened {
        Happened::Reminders(count) => {
            let are = if *count == 1 { "is" } else { "are" };
            format!("{} at {tenants} {are} still firing since the {score} {moved}", alerts(*count))
        }
        Happened::Escalations(count) => {
            let have = if *count == 1 { "has" } else { "have" };
            format!("{} at {tenants} {have} not been acknowledged since the {score} {moved}", alerts(*count))
        }
        Happened::Accepted(count) => {
            let were = if *count == 1 { "was" } else { "were" };
            format!("{} at {tenants} {were} accepted as the new level of the {score}", alerts(*count))
        }
        Happened::OneOfMany => format!("{score} {moved}, as at other tenants"),
        Happened::SharedControl(count) => {
            format!("{} lost points on the same control", ENGLISH.counted(*count, ENGLISH.tenants))
        }
        Happened::AtOnce => format!("{score} of {tenants} {moved} at the same time"),
        Happened::More => {
            let tenants = if *count == 1 { "1 more tenant".to_owned() } else { format!("{count} more tenants") };
            format!("{score} of {tenants} {moved}")
        }
    }
}

fn at(tenants: usize, what: &str) -> String {
    format!("At {}, {what}.", ENGLISH.counted(tenants, ENGLISH.tenants))
}

fn accept(id: &str) -> String {
    format!("`scorewatch alerts accept --shift {id}` accepts the new level")
}
