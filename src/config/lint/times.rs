//! Times that do not fit each other: the spread and the schedule, pauses of the schedule and what rules wait for.

use std::{collections::BTreeMap, time::Duration};

use super::{Group, Place, Problem, Problems, Rule, Schedule, Scope, Warning, Whole, format_duration};
use crate::{
    rule::Condition,
    schedule::{self, Gaps},
};

/// The longest that an alert should wait for other tenants.
const HOLD_MAX: Duration = Duration::from_hours(1);

pub(super) fn lint(whole: &Whole<'_>, groups: &[Group<'_>], top: &Scope<'_>, problems: &mut Problems) {
    let mut gaps: BTreeMap<usize, (&Schedule, Gaps)> = BTreeMap::new();
    for group in groups {
        let found = || Some((group.schedule, group.schedule.gaps()?));
        let address = std::ptr::from_ref(group.schedule).addr();
        if !gaps.contains_key(&address)
            && let Some(found) = found()
        {
            gaps.insert(address, found);
        }
    }
    for (schedule, Gaps { shortest, .. }) in gaps.values() {
        // One that runs every second by mistake was reported as such.
        let is_every_second = schedule::caution(schedule.expression())
            .is_some_and(|caution| caution.misreading == schedule::Misreading::EverySecond);
        if whole.spread > *shortest && !is_every_second {
            let what = format!(
                "tenants are checked over {}, and the schedule `{}` starts again every {}",
                format_duration(whole.spread),
                schedule.expression(),
                format_duration(*shortest)
            );
            let instead = format!("write `spread: {}` or less", format_duration(*shortest / 2));
            problems.warning(Warning::SpreadLongerThanInterval, &top.key("spread"), what, instead);
        }
    }
    held(whole, gaps.values().map(|(_, gaps)| gaps.shortest).max(), top, problems);
    for (rule, place) in whole.rules {
        let shortest = groups
            .iter()
            .filter(|group| group.is_judged_by(rule))
            .filter_map(|group| gaps.get(&std::ptr::from_ref(group.schedule).addr()))
            .min_by_key(|(_, gaps)| gaps.shortest);
        if let Some((schedule, Gaps { shortest, .. })) = shortest {
            problems.list.extend(repeated(rule, place, schedule, *shortest));
        }
        let of_rule = groups.iter().filter(|group| group.is_judged_by(rule));
        let pause = of_rule
            .filter_map(|group| gaps.get(&std::ptr::from_ref(group.schedule).addr()))
            // A rule with `for` is judged at the readings that there are; one that lacks data, at the checks that fail.
            .filter(|(_, gaps)| gaps.pauses() || matches!(rule.when, Condition::NoData(_)))
            .max_by_key(|(_, gaps)| gaps.longest);
        if let Some((schedule, gaps)) = pause {
            problems.list.extend(paused(rule, place, schedule, gaps));
        }
    }
}

/// A `hold` that is longer than the fleet takes to be read: as long as one tenant fails, the alerts of all others wait. `interval`: of
/// the tenants that are checked least often.
fn held(whole: &Whole<'_>, interval: Option<Duration>, top: &Scope<'_>, problems: &mut Problems) {
    let fleet = top.key("fleet");
    // The default was chosen by nobody.
    let Some(interval) = interval.filter(|_| fleet.has("hold")) else { return };
    let most = HOLD_MAX.min(interval).max(whole.spread);
    if whole.fleet_hold <= most {
        return;
    }
    let what = format!(
        "alerts wait up to {} for the rest of the fleet whenever a tenant can't be read{}",
        format_duration(whole.fleet_hold),
        if interval < HOLD_MAX {
            format!(", and tenants are checked every {}", format_duration(interval))
        } else {
            String::new()
        }
    );
    let instead = format!("write `fleet: {{ hold: {} }}` or less", format_duration(most));
    problems.warning(Warning::FleetHoldLong, &fleet.key("hold"), what, instead);
}

/// A `repeat` that is shorter than the time from one check to the next.
fn repeated(rule: &Rule, place: &Place, schedule: &Schedule, shortest: Duration) -> Option<Problem> {
    let repeat = rule.repeat.filter(|repeat| *repeat < shortest)?;
    let every = format_duration(shortest);
    let what = format!(
        "rule `{}` repeats every {}, and the schedule `{}` checks only every {every}",
        rule.name,
        format_duration(repeat),
        schedule.expression()
    );
    let instead = format!("write `repeat: {every}` or more; `1m` is one minute, and `repeat: 24h` is usual");
    Some(Problem::warning(Warning::RepeatShorterThanInterval, place.clone(), "repeat", what, instead))
}

fn paused(rule: &Rule, place: &Place, schedule: &Schedule, gaps: &Gaps) -> Option<Problem> {
    let (key, limit, effect) = match rule.when {
        Condition::NoData(limit) => ("no_data", limit, "a single check that fails counts as no data at once"),
        _ if !rule.hold.is_zero() => ("for", rule.hold, "the condition counts as held while nobody looks"),
        _ => return None,
    };
    if gaps.longest < limit {
        return None;
    }
    let what = format!(
        "the schedule `{}` {} {}, not less than `{key}: {}` of rule `{}`: {effect}",
        schedule.expression(),
        if gaps.pauses() { "pauses for" } else { "checks every" },
        format_duration(gaps.longest),
        format_duration(limit),
        rule.name
    );
    let instead =
        format!("write a `{key}` longer than {}, or let the schedule run more often", format_duration(gaps.longest));
    Some(Problem::warning(Warning::SchedulePauses, place.clone(), key, what, instead))
}
