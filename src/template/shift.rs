//! A message about a fleet shift in words: what moved, by how much, whose doing it is as far as that is known, and what is left to do.

use super::{lines, phrases::counted, score_name::score_name};
use crate::{
    notify::{
        fleet::{
            evidence::{LostControl, Verdict},
            group::Occasion,
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
pub(super) fn headline(fleet: &FleetFacts) -> (String, String) {
    let score = score_name(fleet.score, fleet.subject.as_deref());
    let tenants = counted(fleet.tenant_count, "tenant");
    let alerts = counted(fleet.alerts, "alert");
    let moved = format!("{} by about {}", verb(fleet), size(fleet));
    let what = match fleet.occasion {
        Occasion::Reminders => {
            let verb = if fleet.alerts == 1 { "fires" } else { "fire" };
            format!("{alerts} at {tenants} still {verb} since the {score} {moved}")
        }
        Occasion::Accepted => {
            let verb = if fleet.alerts == 1 { "was" } else { "were" };
            format!("{alerts} at {tenants} {verb} accepted as the new level of the {score}")
        }
        // A channel may be allowed to show one tenant of many.
        Occasion::Shift if fleet.tenant_count == 1 => format!("{score} {moved}, as at other tenants"),
        Occasion::Shift | Occasion::FollowUp if shared_control(fleet).is_some() => {
            let tenants = counted(shared_control(fleet).unwrap_or_default(), "tenant");
            return (format!("{tenants} lost points on the same control"), format!(": {score} {moved}"));
        }
        Occasion::Shift => format!("{score} of {tenants} {moved} at once"),
        Occasion::FollowUp => format!("{score} of {tenants} more {moved}"),
    };
    let why = if fleet.occasion.is_of_movements() { verdict(fleet) } else { String::new() };
    (what, why)
}

/// What is known of why, in a few words.
fn verdict(fleet: &FleetFacts) -> String {
    let evidence = &fleet.evidence;
    match evidence.verdict {
        Verdict::Microsoft if evidence.unknown == 0 => ": Microsoft changed the score".to_owned(),
        Verdict::Tenants => ": they lost points on their own controls".to_owned(),
        _ => String::new(),
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
pub(super) fn reason(fleet: &FleetFacts) -> String {
    let mut says = Vec::new();
    says.extend(severities(fleet));
    if fleet.occasion.is_of_movements() {
        says.extend(reasons(fleet));
        says.extend(average(fleet));
    }
    if !fleet.apart.is_empty() {
        says.push(format!("Reported on their own, as they moved farther: {}.", fleet.apart.join(", ")));
    }
    if !fleet.notified_before.is_empty() {
        says.push(format!("Moved along, and were reported before this showed: {}.", fleet.notified_before.join(", ")));
    }
    says.join(" ")
}

/// How many alerts of each severity the message covers.
fn severities(fleet: &FleetFacts) -> Option<String> {
    let counts = [(fleet.critical, "critical"), (fleet.warning, "warning"), (fleet.info, "info")];
    let said: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    (!said.is_empty()).then(|| format!("{}: {}.", counted(fleet.alerts, "alert"), said.join(", ")))
}

/// What has no line in the message, and where to find it.
pub(super) fn unlisted(fleet: &FleetFacts) -> Option<String> {
    (fleet.left_out > 0).then(|| {
        format!(
            "{} of {} alerts {} no line here; `scorewatch alerts list --shift {}` shows all of them.",
            fleet.left_out,
            fleet.alerts,
            if fleet.left_out == 1 { "has" } else { "have" },
            fleet.id
        )
    })
}

/// What the evidence shows, and no more.
fn reasons(fleet: &FleetFacts) -> Vec<String> {
    let evidence = &fleet.evidence;
    let mut says = Vec::new();
    if evidence.verdict == Verdict::None {
        says.push(if fleet.score.record_interval().is_zero() {
            let whose = if fleet.tenant_count == 1 { "this tenant" } else { "these tenants" };
            format!("This is probably a change in the score, not in {whose}.")
        } else {
            "What changed is not known.".to_owned()
        });
        return says;
    }
    let mut clause = |tenants: usize, what: &str| {
        if tenants > 0 {
            says.push(format!("At {}, {what}.", counted(tenants, "tenant")));
        }
    };
    clause(
        evidence.by_microsoft,
        "Microsoft changed the score: controls are new or retired, or the maximum is another",
    );
    clause(evidence.by_tenants, "points were lost on controls that stayed, and the maximum is unchanged");
    clause(evidence.by_both, "points were lost on controls that stayed, and the score itself changed too");
    clause(evidence.unknown, "what changed is not known");
    let controls = evidence
        .controls
        .iter()
        .map(|LostControl { title, tenants }| format!("{title} ({})", counted(*tenants, "tenant")));
    let controls: Vec<String> = controls.collect();
    if !controls.is_empty() {
        says.push(format!("Controls that lost points: {}.", controls.join("; ")));
    }
    says
}

fn average(fleet: &FleetFacts) -> Option<String> {
    let average = fleet.evidence.average?;
    let (before, after) = (average.before, average.after);
    let [from, to] = [display::among(before, &[after]), display::among(after, &[before])];
    Some(format!("Microsoft's own average of all tenants went from {from}% to {to}% on the same day."))
}

/// What is left to do.
pub(super) fn left_to_do(fleet: &FleetFacts) -> String {
    let accept = format!("`scorewatch alerts accept --shift {}` accepts the new level", fleet.id);
    match (fleet.occasion, fleet.accepted_count) {
        (Occasion::Accepted, _) => "Nothing is left to do.".to_owned(),
        _ if fleet.accepted => "The alerts are accepted as the new level; nothing is left to do.".to_owned(),
        (_, 0) => format!("Each alert here that fires goes on until it ends; {accept}."),
        (_, accepted) => format!(
            "{} accepted as the new level; the others fire until they end, or {accept}.",
            if accepted == 1 { "1 alert is".to_owned() } else { format!("{accepted} alerts are") }
        ),
    }
}

fn verb(fleet: &FleetFacts) -> &'static str {
    if fleet.median < 0.0 { "fell" } else { "rose" }
}

fn size(fleet: &FleetFacts) -> String {
    let unit = if fleet.measure == "percent" { "%" } else { " points" };
    format!("{}{unit}", display::among(fleet.median.abs(), &[]))
}

#[cfg(test)]
mod tests;
