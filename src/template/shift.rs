//! A fleet shift in words: that Microsoft changed the ruler, by how much, and what that means for the one who reads it.

use super::score_name::score_name;
use crate::{notify::notification::FleetFacts, rule::display};

/// One sentence: what moved, of how many, by how much.
pub(super) fn headline(fleet: &FleetFacts) -> String {
    let score = score_name(fleet.score, fleet.subject.as_deref());
    let of = match fleet.tenant_count {
        1 => "1 tenant".to_owned(),
        count => format!("{count} tenants"),
    };
    let verb = if fleet.median < 0.0 { "fell" } else { "rose" };
    let unit = if fleet.measure == "percent" { "%" } else { " points" };
    let median = display::among(fleet.median.abs(), &[]);
    format!("the {score} of {of} {verb} at once, by about {median}{unit}: Microsoft re-scored")
}

/// Why there is one message and not many, and when there will be more.
pub(super) fn note(fleet: &FleetFacts) -> String {
    let mut note = "So many moved the same way at the same time that the ruler changed, not these tenants. Their alerts stay open; each \
                    is told again when it worsens by itself."
        .to_owned();
    if !fleet.apart.is_empty() {
        note.push_str(" Told by themselves, as they moved farther: ");
        note.push_str(&fleet.apart.join(", "));
        note.push('.');
    }
    if !fleet.told_before.is_empty() {
        note.push_str(" Moved along and told before this showed: ");
        note.push_str(&fleet.told_before.join(", "));
        note.push('.');
    }
    note
}
