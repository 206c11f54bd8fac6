//! A tenant gives no data, or gives some again. The one condition that time alone can make true.
//!
//! It is judged by whole scores: one [`Feed`] for a rule with `score:`, one for each score that the tenant is polled for without
//! it. All of a rule's scores together are one alert, which lists those without data. A further score that goes blind while it fires
//! is a worsening; it is over when each score that it listed has been read again.

use std::time::Duration;

use super::{EvaluationContext, Outcome, Seen, firing, notify, remind, resolve};
use crate::{
    domain::{Sample, Timestamp},
    rule::{Alert, AlertState, Escalated, Feed, Firing, Resolution, Rule, TransitionKind, Unread, baseline},
};

/// The scores that have given no data for that long, in addition to those `listed`.
fn without_data(duration: Duration, listed: &[Unread], context: &EvaluationContext<'_>) -> Vec<Unread> {
    let is_new = |feed: &&Feed| !listed.iter().any(|known| known.score == feed.score);
    let feeds = context.feeds.iter().filter(|feed| feed.holds(duration, context.now)).filter(is_new);
    feeds.map(Feed::unread).collect()
}

/// The listed scores that have given nothing since. An alert of an older store lists none: it is about each score that it watches.
pub(super) fn still_unread(firing: &Firing, context: &EvaluationContext<'_>) -> Vec<Unread> {
    let is_still = |known: &&Unread| {
        let feed = context.feeds.iter().find(|feed| feed.score == known.score);
        feed.is_some_and(|feed| !feed.is_read && feed.last_data <= known.since)
    };
    if firing.unread.is_empty() {
        let all: Vec<_> = context.feeds.iter().map(|feed| Unread { score: feed.score, since: firing.since }).collect();
        return all.iter().filter(is_still).copied().collect();
    }
    firing.unread.iter().filter(is_still).copied().collect()
}

/// A `no_data` rule whose alert does not fire.
pub(super) fn watch(rule: &Rule, alert: &Alert, duration: Duration, context: &EvaluationContext<'_>) -> Outcome {
    let unread = without_data(duration, &[], context);
    if let Some(since) = unread.iter().map(|unread| unread.since).min() {
        let firing = Firing {
            since,
            fired_at: context.now,
            terms: rule.terms(),
            baseline: None,
            measured_at: None,
            worst_notified: None,
            worst_notified_at: None,
            worst_seen: None,
            worst_before: None,
            worst_before_at: None,
            taken_back: 0,
            end_taken_back: 0,
            gap: None,
            unread,
            escalated: Escalated::default(),
        };
        return notify(alert, &firing, TransitionKind::Fired, Seen { at: context.now, sample: None });
    }
    // Pending only from another condition, before the rule was edited.
    let was_pending = matches!(alert.state, AlertState::Pending(_));
    Outcome { alert: was_pending.then_some(Alert { state: AlertState::Inactive, ..alert.clone() }), transition: None }
}

/// An alert that fired for want of data. It begins and ends at the time of the evaluation, which is a wall time.
pub(super) fn go_on(
    rule: &Rule,
    alert: &Alert,
    firing: &Firing,
    reading: Option<Sample>,
    duration: Duration,
    context: &EvaluationContext<'_>,
) -> Outcome {
    let mut unread = still_unread(firing, context);
    let further = without_data(duration, &unread, context);
    let seen = Seen { at: context.now, sample: None };
    if !further.is_empty() {
        let listed = unread.len();
        unread.extend(further);
        let mut worsened = notify(alert, &Firing { unread, ..firing.clone() }, TransitionKind::Worsened, seen);
        worsened.transition.iter_mut().for_each(|transition| transition.listed = listed);
        return worsened;
    }
    if unread.is_empty() {
        let is_read = reading.is_some() || context.feeds.iter().any(|feed| came_back(feed, firing));
        // Nothing was read: what it listed is no longer watched.
        let why = if is_read { Resolution::Recovered } else { Resolution::SubjectRemoved };
        return resolve(alert, firing, why, Seen { at: context.now, sample: reading });
    }
    let has_changed = unread.len() != firing.unread.len();
    let now = Firing { unread, ..firing.clone() };
    if let Some(reminder) = remind(rule, alert, &now, None, context) {
        return reminder;
    }
    let alert = Alert { state: AlertState::Firing(now), ..alert.clone() };
    Outcome { alert: has_changed.then_some(alert), transition: None }
}

fn came_back(feed: &Feed, firing: &Firing) -> bool {
    let since = firing.unread.iter().find(|known| known.score == feed.score).map(|known| known.since);
    let is_listed = firing.unread.is_empty() || since.is_some();
    is_listed && (feed.is_read || feed.last_data > since.unwrap_or(firing.since))
}

/// An alert that fired for want of data, before its rule was edited to another condition: any reading ends it.
pub(super) fn leave(
    rule: &Rule,
    alert: &Alert,
    firing: &Firing,
    reading: Option<Sample>,
    context: &EvaluationContext<'_>,
) -> Outcome {
    match reading {
        Some(_) => resolve(alert, firing, Resolution::Recovered, Seen { at: context.now, sample: reading }),
        None => remind(rule, alert, firing, None, context).unwrap_or_default(),
    }
}

/// An alert that fired by another condition, before its rule was edited to `no_data`. A reading ends it. So does the lack of data:
/// nobody was notified that we are blind, so the next tick begins again.
pub(super) fn take_over(
    rule: &Rule,
    alert: &Alert,
    firing: &Firing,
    believed: Option<Sample>,
    duration: Duration,
    context: &EvaluationContext<'_>,
) -> Outcome {
    if let Some(reading) = believed {
        let was_over = firing::is_over(&firing.terms, reading.value, firing.baseline, firing.worst_seen);
        let why = if was_over { Resolution::Recovered } else { Resolution::RuleChanged };
        return resolve(alert, firing, why, Seen { at: reading.at, sample: believed });
    }
    let newest = baseline::newest(context.window);
    if !without_data(duration, &[], context).is_empty() {
        return resolve(alert, firing, Resolution::RuleChanged, Seen { at: context.now, sample: newest });
    }
    remind(rule, alert, firing, newest, context).unwrap_or_default()
}

/// When a score that the alert does not list will have given no data for long enough.
pub(super) fn wake_at(alert: &Alert, duration: Duration, context: &EvaluationContext<'_>) -> Option<Timestamp> {
    let listed = match &alert.state {
        AlertState::Firing(firing) if super::is_no_data(firing) => still_unread(firing, context),
        _ => Vec::new(),
    };
    let is_new = |feed: &&Feed| !listed.iter().any(|known| known.score == feed.score);
    context.feeds.iter().filter(is_new).filter_map(|feed| feed.holds_at(duration)).min()
}
