//! What is known of why the tenants of a shift moved, and no more. The control diff and the maximum of each tenant are the
//! evidence; Microsoft's own average adds a sentence.

use std::{collections::BTreeMap, time::Duration};

use super::Shift;
pub use crate::notify::facts::fleet::{LostControl, ShiftEvidence, Verdict};
use crate::{
    domain::{ScoreKind, TenantId},
    notify::{
        Notification,
        facts::cause::{CauseKind, ChangedBy, Comparison},
        notification::Data,
    },
};

/// The most controls that are named.
const CONTROLS_MAX: usize = 3;
/// Records of successive days are this far apart.
const DAY: Duration = Duration::from_hours(24);
/// Microsoft's average is evidence only if it moved by at least this share of the median.
const AVERAGE_SHARE_MIN: f64 = 0.5;

/// A notification that a notice covers: it becomes a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Covered {
    /// The tenant that it is about; `None`: none, or several.
    pub tenant: Option<TenantId>,
    /// The notification as it was stored.
    pub notification: Notification,
    /// Whether its alert is accepted as the new level with the notice.
    pub is_accepted: bool,
}

/// What one alert's own facts show.
#[must_use]
pub fn of_alert(facts: &Data) -> Verdict {
    let Some(breakdown) = &facts.breakdown else { return Verdict::None };
    match breakdown.changed_by {
        ChangedBy::Tenant if breakdown.before.of.to_bits() == breakdown.after.of.to_bits() => Verdict::Tenants,
        // Its own controls lost points, and its maximum moved.
        ChangedBy::Tenant | ChangedBy::Both => Verdict::Mixed,
        ChangedBy::Microsoft => Verdict::Microsoft,
        ChangedBy::Product | ChangedBy::Unknown => Verdict::None,
    }
}

/// What the notifications that a notice covers show together.
#[must_use]
pub fn of_all(shift: &Shift, covered: &[Covered]) -> ShiftEvidence {
    let mut verdicts: BTreeMap<&TenantId, Verdict> = BTreeMap::new();
    let mut controls: BTreeMap<String, usize> = BTreeMap::new();
    let mut average = None;
    for Covered { tenant, notification, .. } in covered {
        let facts = &notification.data;
        let Some(tenant) = tenant else { continue };
        let verdict = of_alert(facts);
        average = average.or_else(|| average_of(shift, facts));
        let known = verdicts.entry(tenant).or_default();
        // Of several alerts of one tenant, the first that shows something.
        if *known == Verdict::None && verdict != Verdict::None {
            *known = verdict;
            let lost =
                facts.causes.iter().filter(|cause| matches!(cause.kind, CauseKind::Lost | CauseKind::Accounting));
            for title in lost.map(|cause| cause.title.clone()).collect::<std::collections::BTreeSet<_>>() {
                *controls.entry(title).or_default() += 1;
            }
        }
    }
    let count = |wanted: Verdict| verdicts.values().filter(|verdict| **verdict == wanted).count();
    let (by_microsoft, by_tenants, by_both) =
        (count(Verdict::Microsoft), count(Verdict::Tenants), count(Verdict::Mixed));
    let mut controls: Vec<LostControl> =
        controls.into_iter().map(|(title, tenants)| LostControl { title, tenants }).collect();
    controls.sort_by(|one, other| other.tenants.cmp(&one.tenants).then_with(|| one.title.cmp(&other.title)));
    controls.truncate(CONTROLS_MAX);
    let verdict = match (by_microsoft, by_tenants, by_both) {
        (0, 0, 0) => Verdict::None,
        (_, 0, 0) => Verdict::Microsoft,
        (0, _, 0) => Verdict::Tenants,
        _ => Verdict::Mixed,
    };
    ShiftEvidence { verdict, by_microsoft, by_tenants, by_both, unknown: count(Verdict::None), controls, average }
}

/// Microsoft's average, where it was read at two successive records of the tenant's own and moved along by enough.
fn average_of(shift: &Shift, facts: &Data) -> Option<Comparison> {
    let breakdown = facts.breakdown.as_ref().filter(|breakdown| breakdown.to.since(breakdown.from) == DAY)?;
    let is_of_day = facts.score.as_ref()?.observed_at == Some(breakdown.to);
    let average =
        facts.score.as_ref()?.comparison.filter(|_| is_of_day && shift.scope.score == ScoreKind::SecureScore)?;
    let by = average.after - average.before;
    (shift.is_along(by) && by.abs() >= AVERAGE_SHARE_MIN * shift.median.abs()).then_some(average)
}

#[cfg(test)]
mod tests;
