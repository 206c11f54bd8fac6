//! Exclusions that have no effect on a score that their tenants are polled for.

use super::{Problem, Problems, ScoreKind, Warning, Whole};
use crate::config::{Tenant, exclusions::Written};

/// The scores in which controls have points of their own.
const OF_CONTROLS: [ScoreKind; 2] = [ScoreKind::SecureScore, ScoreKind::SecureScoreCategory];
/// With this, the names of controls begin that also stand behind the device score.
const OF_DEVICES: &str = "scid";

pub(super) fn lint(whole: &Whole<'_>, problems: &mut Problems) {
    for Written { exclusion, place, path } in &whole.tenants.exclusions {
        let selected: Vec<&Tenant> = whole
            .tenants
            .by_id
            .values()
            .map(AsRef::as_ref)
            .filter(|tenant| exclusion.selects(&tenant.id, &tenant.labels))
            .collect();
        let mut warn = |what: &str, instead: &str| {
            let warning = Warning::ExclusionWithoutEffect;
            problems.list.push(Problem::warning(warning, place.clone(), path.as_str(), what, instead));
        };
        let has_controls = |tenant: &&Tenant| tenant.scores.iter().any(|score| OF_CONTROLS.contains(score));
        if !selected.is_empty() && !selected.iter().any(has_controls) {
            warn(
                "the exclusion has no effect: no tenant that it selects is polled for `secure-score`",
                "add `secure-score` to `scores:`, or delete the exclusion",
            );
            continue;
        }
        // Where both scores are polled, the exclusion has the effect that it can have.
        let has_devices =
            |tenant: &&Tenant| tenant.scores.contains(&ScoreKind::DeviceSecureScore) && !has_controls(tenant);
        let is_of_devices = exclusion.controls.iter().any(|name| name.starts_with(OF_DEVICES));
        if is_of_devices && selected.iter().any(has_devices) {
            warn(
                "the exclusion has no effect on `device-secure-score`, which is a single value: only `secure-score` is judged \
                 without these controls",
                "make an exception for the recommendation in the Defender portal",
            );
        }
    }
}
