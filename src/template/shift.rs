//! A message about a fleet shift in words: what moved, by how much, whose doing it is as far as that is known, and what is left to do.

use super::lines;
use crate::{
    domain::Severity,
    notify::{
        fleet::{
            evidence::{LostControl, Verdict},
            group::Occasion,
        },
        language::{
            Words,
            shift::{Happened, ShiftMove},
        },
        notification::{Data, FleetFacts},
    },
    rule::display,
};

/// As grave as the gravest of its lines, unless nothing is left to do.
pub(super) fn look(data: &Data) -> (&'static str, &'static str) {
    if data.fleet.as_ref().is_some_and(|fleet| fleet.accepted) {
        return ("📐", "accent");
    }
    lines::look(&data.items)
}

/// What happened, at how many tenants, by how much; and why, as far as that is known in a few words.
pub(super) fn headline(fleet: &FleetFacts, words: &Words) -> (String, String) {
    let score = (words.score)(fleet.score, fleet.subject.as_deref());
    let size = size(fleet, words);
    let moved = ShiftMove { score: &score, has_fallen: fleet.median < 0.0, size: &size, tenants: fleet.tenant_count };
    let colon = |why: &str| format!("{}: {why}", words.before_colon);
    let happened = match fleet.occasion {
        Occasion::Reminders => Happened::Reminders(fleet.alerts),
        Occasion::Escalations => Happened::Escalations(fleet.alerts),
        Occasion::Accepted => Happened::Accepted(fleet.alerts),
        // A channel may be allowed to show one tenant of many.
        Occasion::Shift if fleet.tenant_count == 1 => Happened::OneOfMany,
        Occasion::Shift | Occasion::FollowUp if shared_control(fleet).is_some() => {
            let what =
                (words.shift.headline)(&Happened::SharedControl(shared_control(fleet).unwrap_or_default()), &moved);
            return (what, colon(&(words.shift.moved)(&moved)));
        }
        Occasion::Shift => Happened::AtOnce,
        Occasion::FollowUp => Happened::More,
    };
    let why = if fleet.occasion.is_of_movements() { verdict(fleet, words) } else { None };
    ((words.shift.headline)(&happened, &moved), why.map(colon).unwrap_or_default())
}

/// What is known of why, in a few words.
fn verdict(fleet: &FleetFacts, words: &Words) -> Option<&'static str> {
    let evidence = &fleet.evidence;
    match evidence.verdict {
        Verdict::Microsoft if evidence.unknown == 0 => Some(words.shift.because_microsoft),
        Verdict::Tenants => Some(words.shift.because_tenants),
        _ => None,
    }
}

/// How many tenants lost points on the control that most of them lost points on; `None`: they did not lose them together.
fn shared_control(fleet: &FleetFacts) -> Option<usize> {
    let evidence = &fleet.evidence;
    let LostControl { tenants, .. } = evidence.controls.first().filter(|_| evidence.verdict == Verdict::Tenants)?;
    (*tenants > 1).then_some(*tenants)
}

/// Whether nothing is left to do.
pub(super) fn is_done(fleet: &FleetFacts) -> bool {
    fleet.accepted || fleet.occasion == Occasion::Accepted
}

/// Why there is one message and not many, and what is known of why the score moved.
pub(super) fn reason(fleet: &FleetFacts, words: &Words) -> String {
    let mut says = Vec::new();
    says.extend(severities(fleet, words));
    if fleet.occasion.is_of_movements() {
        says.extend(reasons(fleet, words));
        says.extend(average(fleet, words));
    }
    if !fleet.apart.is_empty() {
        says.push((words.shift.apart)(&fleet.apart.join(", ")));
    }
    if !fleet.notified_before.is_empty() {
        says.push((words.shift.notified_before)(&fleet.notified_before.join(", ")));
    }
    says.join(" ")
}

/// How many alerts of each severity the message covers.
fn severities(fleet: &FleetFacts, words: &Words) -> Option<String> {
    let counts =
        [(fleet.critical, Severity::Critical), (fleet.warning, Severity::Warning), (fleet.info, Severity::Info)];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    let said: Vec<String> = some.map(|(count, severity)| (words.line.severities)(count, severity)).collect();
    let alerts = words.counted(fleet.alerts, words.alerts);
    (!said.is_empty()).then(|| format!("{}.", words.labelled(&alerts, &said.join(", "))))
}

/// What has no line in the message, and where to find it.
pub(super) fn unlisted(fleet: &FleetFacts, words: &Words) -> Option<String> {
    (fleet.left_out > 0).then(|| (words.shift.unlisted)(fleet.left_out, fleet.alerts, &fleet.id))
}

/// What the evidence shows, and no more.
fn reasons(fleet: &FleetFacts, words: &Words) -> Vec<String> {
    let (evidence, shift) = (&fleet.evidence, &words.shift);
    if evidence.verdict == Verdict::None {
        let is_live = fleet.score.record_interval().is_zero();
        let says = if is_live { (shift.probably_score)(fleet.tenant_count == 1) } else { shift.not_known };
        return vec![says.to_owned()];
    }
    let clauses = [
        (evidence.by_microsoft, shift.by_microsoft),
        (evidence.by_tenants, shift.by_tenants),
        (evidence.by_both, shift.by_both),
        (evidence.unknown, shift.by_unknown),
    ];
    let some = clauses.into_iter().filter(|(tenants, _)| *tenants > 0);
    let mut says: Vec<String> = some.map(|(tenants, say)| say(tenants)).collect();
    let control =
        |LostControl { title, tenants }: &LostControl| format!("{title} ({})", words.counted(*tenants, words.tenants));
    let controls: Vec<String> = evidence.controls.iter().map(control).collect();
    if !controls.is_empty() {
        says.push((shift.controls)(&controls.join(&format!("{}; ", words.before_colon))));
    }
    says
}

fn average(fleet: &FleetFacts, words: &Words) -> Option<String> {
    let average = fleet.evidence.average?;
    let (before, after) = (average.before, average.after);
    let [from, to] = [display::among(before, &[after]), display::among(after, &[before])];
    Some((words.shift.average)(&words.percent(&from), &words.percent(&to)))
}

/// What is left to do.
pub(super) fn left_to_do(fleet: &FleetFacts, words: &Words) -> String {
    match (fleet.occasion, fleet.accepted_count) {
        (Occasion::Accepted, _) => words.shift.done.to_owned(),
        _ if fleet.accepted => words.shift.accepted.to_owned(),
        (_, 0) => (words.shift.open)(&fleet.id),
        (_, accepted) => (words.shift.partly_accepted)(accepted, &fleet.id),
    }
}

fn size(fleet: &FleetFacts, words: &Words) -> String {
    // About as much: more digits would say more than a median knows.
    let rounded = (fleet.median.abs() * 10.0).round() / 10.0;
    let number = if rounded > 0.0 { display::number(rounded) } else { display::among(fleet.median.abs(), &[]) };
    if fleet.measure == "percent" { words.percent(&number) } else { (words.shift.points)(&words.decimals(&number)) }
}

#[cfg(test)]
mod tests;
