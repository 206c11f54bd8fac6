//! `no_data`: no reading for a while, although checks were due and gave none.

use std::collections::BTreeMap;

use super::{
    model::{Event, History, Kind, Why},
    world::{AlertId, Check, MINUTE, Outcome, Score, Seconds, Tenant, When, World},
};

/// A period without data.
struct Blindness {
    /// When the rule's time has passed, by the letter of the specification.
    at: Seconds,
    /// When it has passed, however pauses are counted.
    latest: Seconds,
    /// When data came again.
    until: Option<Seconds>,
}

/// Adds the events of all `no_data` rules.
pub fn add(world: &World, expected: &mut BTreeMap<AlertId, History>) {
    for (number, tenant) in world.tenants.iter().enumerate() {
        for (rule, facts) in world.rules.iter().enumerate() {
            let When::NoData(asked) = facts.when else { continue };
            let series: Vec<usize> = (0..tenant.series.len())
                .filter(|&place| facts.applies_to(tenant, tenant.series[place].score))
                .collect();
            let alert = |series: Option<usize>| AlertId { tenant: number, rule, series };
            if facts.score.is_some() {
                for place in series {
                    let found = blindnesses(world, tenant, place, asked);
                    expected.insert(alert(Some(place)), history(found));
                }
            } else if !series.is_empty() {
                let found = series.iter().map(|&place| blindnesses(world, tenant, place, asked)).collect();
                expected.insert(alert(None), history(merged(found)));
            }
        }
    }
}

/// One alert lists all scores without data. It lasts from the first missing score to the return of the last one.
fn merged(of_series: Vec<Vec<Blindness>>) -> Vec<Blindness> {
    let mut all: Vec<Blindness> = of_series.into_iter().flatten().collect();
    all.sort_by_key(|blindness| blindness.at);
    let mut merged: Vec<Blindness> = Vec::new();
    for blindness in all {
        match merged.last_mut() {
            Some(last) if last.until.is_none_or(|until| blindness.at < until) => {
                last.latest = last.latest.min(blindness.latest);
                last.until = last.until.zip(blindness.until).map(|(one, other)| one.max(other));
            }
            _ => merged.push(blindness),
        }
    }
    merged
}

fn history(found: Vec<Blindness>) -> History {
    let mut events = Vec::new();
    for Blindness { at, latest, until } in found {
        // Data may return before the gap must be reported.
        let is_optional = until.is_some_and(|until| until <= latest);
        events.push(Event { kind: Kind::Fired, at, latest, happened: at, is_optional });
        let ended = |at| Event { kind: Kind::Ended(Why::Recovered), at, latest: at, happened: at, is_optional };
        events.extend(until.map(ended));
    }
    History { events, open_from: None }
}

fn blindnesses(world: &World, tenant: &Tenant, place: usize, asked: Seconds) -> Vec<Blindness> {
    let series = &tenant.series[place];
    // A daily record counts as data for days, which is not what these worlds are about.
    if series.score == Score::Secure {
        return Vec::new();
    }
    let is_read = |check: &Check| matches!(check.outcome, Outcome::Read { .. } | Outcome::Same);
    let good: Vec<usize> = (0..series.checks.len()).filter(|&index| is_read(&series.checks[index])).collect();
    let mut found = Vec::new();
    for (index, &last) in good.iter().enumerate() {
        let next = good.get(index + 1).copied();
        let bad = &series.checks[last + 1..next.unwrap_or(series.checks.len())];
        let counts = |check: &&Check| check.outcome == Outcome::Failed || !world.is_downtime(check.at);
        let bad: Vec<Seconds> = bad.iter().filter(counts).map(|check| check.at).collect();
        let Some(&first) = bad.first() else { continue };
        let last_data = series.checks[last].at;
        let until = next.map(|next| series.checks[next].at);
        let at = passed(world, last_data, asked).max(first);
        if until.unwrap_or(world.until) <= at {
            continue;
        }
        let latest = scheduled(world, tenant, last_data, &bad, asked).max(at) + MINUTE;
        found.push(Blindness { at, latest, until });
    }
    found
}

/// When that long has passed since `from`, not counting our downtime.
fn passed(world: &World, from: Seconds, asked: Seconds) -> Seconds {
    let mut at = from + asked;
    loop {
        let later = from + asked + world.downtime_between(from, at);
        if later == at {
            return at;
        }
        at = later;
    }
}

/// When that much scheduled time has passed and a second check in a row gave nothing.
fn scheduled(world: &World, tenant: &Tenant, last_data: Seconds, bad: &[Seconds], asked: Seconds) -> Seconds {
    let mut before = last_data;
    let mut passed = 0;
    for (count, &at) in bad.iter().enumerate() {
        passed += (at - before - world.downtime_between(before, at)).min(tenant.every).max(0);
        before = at;
        if passed >= asked && count > 0 {
            return at + tenant.every.min(3_600);
        }
    }
    Seconds::MAX / 4
}
