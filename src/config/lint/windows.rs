//! Maintenance windows that are open most of the time: what they cover waits for their end, and hardly anything is sent.

use std::{collections::BTreeSet, time::Duration};

use super::{Maintenance, Problems, Scope, Warning};
use crate::{notify::silence::Matchers, schedule::Window};

/// How far a window is followed. A year, so that a freeze of some weeks once a year is not taken for one that is always open.
const FOLLOWED: Duration = Duration::from_hours(365 * 24);
/// The most times that a window opens or closes while it is followed.
const STEPS_MAX: usize = 1_024;
/// With how many other windows a window is combined at most.
const OTHERS_MAX: usize = 8;
/// From this share of the time on, in percent, a window is open most of the time.
const OPEN_PERCENT_MAX: u64 = 50;

pub(super) fn lint(maintenance: &[Maintenance], at: &Scope<'_>, problems: &mut Problems) {
    let mut reported: Vec<&Matchers> = Vec::new();
    for (index, one) in maintenance.iter().enumerate() {
        // What is said of these alerts need not be said again.
        if reported.iter().any(|wider| covers(wider, &one.matchers)) {
            continue;
        }
        let others = maintenance
            .iter()
            .enumerate()
            .filter(|(place, other)| *place != index && covers(&other.matchers, &one.matchers));
        let others: Vec<&Maintenance> = others.map(|(_, other)| other).take(OTHERS_MAX).collect();
        let alone = open_percent(&[&one.window]);
        let (percent, together_with) = if alone > OPEN_PERCENT_MAX || others.is_empty() {
            (alone, None)
        } else {
            let windows = [&one.window].into_iter().chain(others.iter().map(|other| &other.window));
            let names: Vec<&str> = others.iter().map(|other| other.name.as_str()).collect();
            (open_percent(&windows.collect::<Vec<_>>()), Some(super::named(&names)))
        };
        if percent <= OPEN_PERCENT_MAX {
            continue;
        }
        let name = &one.name;
        let what = match together_with {
            None => format!(
                "the window `{name}` is open {percent}% of the time, and what it covers is sent only when it closes"
            ),
            Some(others) => format!(
                "the windows `{name}` and {others} are together open {percent}% of the time, and what they cover is sent only when all \
                 are closed"
            ),
        };
        let instead = "let it end earlier, or take the rule or the tenant out";
        problems.warning(Warning::WindowMostlyOpen, &at.item(index).key("from"), what, instead);
        reported.push(&one.matchers);
    }
}

/// Whether whatever the narrower one covers is covered by the wider one, too, as far as that is plain.
fn covers(wider: &Matchers, narrower: &Matchers) -> bool {
    let has_all_labels = wider.labels.0.iter().all(|(key, value)| narrower.labels.0.get(key) == Some(value));
    has_all_labels
        && has_all(&wider.tenants, &narrower.tenants)
        && has_all(&wider.rules, &narrower.rules)
        && has_all(&wider.scores, &narrower.scores)
        && has_all(&wider.severities, &narrower.severities)
}

/// The same of one matcher; one that is not given matches everything.
fn has_all<T: Ord>(wider: &BTreeSet<T>, narrower: &BTreeSet<T>) -> bool {
    wider.is_empty() || (!narrower.is_empty() && wider.is_superset(narrower))
}

/// For how much of the time one of the windows is open, in percent, rounded down.
fn open_percent(windows: &[&Window]) -> u64 {
    let Some(begin) = windows.iter().filter_map(|window| window.first_begin()).min() else { return 0 };
    let horizon = begin.plus(FOLLOWED);
    let (mut at, mut open) = (begin, Duration::ZERO);
    for _ in 0..STEPS_MAX {
        if at >= horizon {
            break;
        }
        let end = windows.iter().filter_map(|window| window.covers(at)).max();
        let until = end.or_else(|| windows.iter().filter_map(|window| Some(window.next(at)?.0)).min());
        let until = until.map_or(horizon, |until| until.min(horizon));
        if end.is_some() {
            open = open.saturating_add(until.since(at));
        }
        at = until;
    }
    open.as_secs().saturating_mul(100).checked_div(at.since(begin).as_secs()).unwrap_or_default()
}
