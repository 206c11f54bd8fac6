//! An alert that fires meets a reading, or time passes: over, accepted, worse, or due for a reminder, in this order.

use super::{EvaluationContext, Outcome, Seen, close, notify, remind, resolve};
use crate::{
    domain::Sample,
    rule::{
        Alert, AlertState, Condition, Ended, Firing, Recover, Resolution, Rule, Terms, TransitionKind, baseline,
        loss::at_least, shift::Levels,
    },
};

/// What becomes of it. `believed` is the reading, unless there is none or it is a zero that waits to be confirmed.
pub(super) fn go_on(
    rule: &Rule,
    alert: &Alert,
    firing: &Firing,
    believed: Option<Sample>,
    context: &EvaluationContext<'_>,
) -> Outcome {
    let mut outcome = become_of(rule, alert, firing, believed, context);
    // Its messages must not contradict what it was judged by.
    let sample = believed.or_else(|| baseline::newest(context.window));
    let terms = firing.terms;
    if let (Some(transition), Some(sample)) = (&mut outcome.transition, sample)
        && let moved @ Some(_) = Levels::of(firing, &terms.when, sample, context.shifts).baseline
        && moved != firing.baseline
        && transition.baseline == firing.baseline
    {
        transition.baseline = moved;
        transition.holds = terms.when.holds(sample.value, moved);
    }
    outcome
}

fn become_of(
    rule: &Rule,
    alert: &Alert,
    firing: &Firing,
    believed: Option<Sample>,
    context: &EvaluationContext<'_>,
) -> Outcome {
    let sample = believed.or_else(|| baseline::newest(context.window));
    let judged = match believed {
        Some(reading) => match judge(rule, alert, firing, reading, context) {
            Verdict::Over(outcome) => return *outcome,
            Verdict::Firing(judged) => take_back(rule, alert, *judged, reading, context),
        },
        None => firing.clone(),
    };
    if close::is_accepted_by_now(rule, &judged, context.now) {
        return close::accept_as(alert, &judged, sample, context.now);
    }
    if let Some(reading) = believed.filter(|reading| has_worsened(rule, &judged, *reading, context)) {
        let (worst_before, worst_before_at) = match judged.worst_before {
            Some(_) => (judged.worst_before, judged.worst_before_at),
            None => (judged.worst_notified, judged.worst_notified_at),
        };
        let (worst_notified, worst_notified_at) = (Some(reading.value), Some(reading.at));
        let previous = Levels::of(&judged, &rule.when, reading, context.shifts).notified;
        let notified = Firing { worst_notified, worst_notified_at, worst_before, worst_before_at, ..judged };
        let mut worsened = notify(alert, &notified, TransitionKind::Worsened, Seen { at: reading.at, sample });
        worsened.transition.iter_mut().for_each(|transition| transition.previous = previous);
        return worsened;
    }
    if let Some(reminder) = remind(rule, alert, &judged, sample, context) {
        return reminder;
    }
    let changed = judged != *firing;
    Outcome { alert: changed.then_some(Alert { state: AlertState::Firing(judged), ..alert.clone() }), transition: None }
}

enum Verdict {
    Over(Box<Outcome>),
    Firing(Box<Firing>),
}

/// A firing alert and a reading, by the rule as it now reads.
#[derive(Debug)]
pub(in crate::rule) struct Judged {
    /// The alert with the reading taken note of; of another kind of condition, with a baseline of that kind.
    pub(in crate::rule) seen: Firing,
    /// Whether it fired by a condition of the same kind.
    pub(in crate::rule) is_same_kind: bool,
    /// Whether the condition holds at the reading.
    pub(in crate::rule) holds: bool,
    /// Whether the alert is over.
    pub(in crate::rule) is_over: bool,
    /// What the loss is measured against, as fleet shifts have moved it.
    pub(in crate::rule) baseline: Option<f64>,
}

/// Judges a reading by the rule as it now reads.
pub(in crate::rule) fn judged_by(
    rule: &Rule,
    alert: &Alert,
    firing: &Firing,
    reading: Sample,
    context: &EvaluationContext<'_>,
) -> Judged {
    let terms = rule.terms();
    let is_same_kind = terms.when.is_same_kind(&firing.terms.when);
    let seen = if is_same_kind {
        Firing { worst_seen: Some(worse(&terms.when, firing.worst_seen, reading.value)), ..firing.clone() }
    } else {
        // Another kind of condition: its baseline and its worst value say nothing to this one.
        let reference = baseline::reference(&terms.when, reading, alert, context);
        let (baseline, gap) =
            (reference.map(|reference| reference.value), reference.and_then(|reference| reference.gap));
        let (worst_notified, worst_seen, measured_at) = (Some(reading.value), Some(reading.value), Some(reading.at));
        let restarted = Firing { baseline, measured_at, worst_notified, worst_seen, gap, ..firing.clone() };
        Firing { worst_notified_at: measured_at, worst_before: None, worst_before_at: None, ..restarted }
    };
    let baseline = Levels::of(&seen, &terms.when, reading, context.shifts).baseline;
    let holds = terms.when.holds(reading.value, baseline);
    let is_measured_again = terms.when.change().is_some() && !is_same_kind;
    let is_over = if is_measured_again { !holds } else { is_over(&terms, reading.value, baseline, seen.worst_seen) };
    Judged { seen, is_same_kind, holds, is_over, baseline }
}

/// What that makes of the alert. Over only by the edit, that is, not by the terms it fired under, is reported as such.
fn judge(rule: &Rule, alert: &Alert, firing: &Firing, reading: Sample, context: &EvaluationContext<'_>) -> Verdict {
    let terms = rule.terms();
    let Judged { seen, is_same_kind, holds, is_over, .. } = judged_by(rule, alert, firing, reading, context);
    if is_over {
        let as_it_fired = Levels::of(firing, &firing.terms.when, reading, context.shifts).baseline;
        let by_edit =
            terms != firing.terms && !self::is_over(&firing.terms, reading.value, as_it_fired, firing.worst_seen);
        let why = if by_edit { Resolution::RuleChanged } else { Resolution::Recovered };
        // What was asked for is regained, though the old level is not: it must not fire the alert again immediately.
        let is_partly_regained = terms.when.change().is_some() && is_same_kind && terms.recover.is_some();
        let rebased_at = if is_partly_regained { Some(reading.at) } else { alert.rebased_at };
        let known = Alert { rebased_at, ..alert.clone() };
        let over = resolve(&known, firing, why, Seen { at: reading.at, sample: Some(reading) });
        // Should a fleet shift be the reason, it is not over.
        let may_be_shift = rule.fleet && why == Resolution::Recovered && terms.when.change().is_some() && is_same_kind;
        let ended = may_be_shift.then(|| {
            Box::new(Ended { by: reading, judged_at: context.now, firing: seen, rebased_at: alert.rebased_at })
        });
        let after = over.alert.map(|over| Alert { ended, ..over });
        return Verdict::Over(Box::new(Outcome { alert: after, ..over }));
    }
    if holds {
        return Verdict::Firing(Box::new(Firing { terms, ..seen }));
    }
    // Between its bounds. What it fired under stays with it until the new text holds.
    Verdict::Firing(Box::new(if is_same_kind { seen } else { firing.clone() }))
}

/// Whether, by these terms, an alert is over at `value`. A `drop` or `rise` is judged against its frozen baseline, which only fleet
/// shifts move: the moving window never ends it.
pub(super) fn is_over(terms: &Terms, value: f64, baseline: Option<f64>, worst_seen: Option<f64>) -> bool {
    let holds = terms.when.holds(value, baseline);
    match terms.recover {
        Some(Recover::Regained(percent)) => match baseline {
            Some(baseline) => is_regained(&terms.when, percent, value, baseline, worst_seen),
            None => !holds,
        },
        Some(Recover::Above(bound)) => value > bound && (!holds || terms.when.change().is_some()),
        Some(Recover::Below(bound)) => value < bound && (!holds || terms.when.change().is_some()),
        None => !holds,
    }
}

/// Whether at least this share of the greatest loss since it fired is regained.
fn is_regained(when: &Condition, percent: f64, value: f64, baseline: f64, worst_seen: Option<f64>) -> bool {
    let worst = worse(when, worst_seen, value);
    let greatest_loss = when.further(baseline, worst);
    at_least(when.further(value, worst), percent * greatest_loss / 100.0, baseline.abs().max(worst.abs()))
}

/// Takes back a worsening that is over before anybody was notified of it, as in a maintenance window: should it come again, it is to be
/// reported. Once it was reported, later ones are measured from it.
fn take_back(rule: &Rule, alert: &Alert, firing: Firing, reading: Sample, context: &EvaluationContext<'_>) -> Firing {
    let Some(before) = firing.worst_before else { return firing };
    let (worst_notified, worst_notified_at) = (Some(before), firing.worst_before_at);
    let as_before =
        Firing { worst_notified, worst_notified_at, worst_before: None, worst_before_at: None, ..firing.clone() };
    if !context.is_on_its_way {
        Firing { worst_before: None, worst_before_at: None, ..firing }
    } else if has_worsened(rule, &as_before, reading, context) {
        firing
    } else {
        Firing { taken_back: alert.sequence, ..as_before }
    }
}

/// Whether it moved on from the last reported value by the rule's size, or for `below` and `above` by its `step`. By an edited
/// text that does not hold nothing is worse: 285 is not worse in "below 280".
fn has_worsened(rule: &Rule, firing: &Firing, reading: Sample, context: &EvaluationContext<'_>) -> bool {
    let value = reading.value;
    let levels = Levels::of(firing, &rule.when, reading, context.shifts);
    if !rule.when.holds(value, levels.baseline) {
        return false;
    }
    let (Some(notified), true) = (levels.notified, rule.when.is_same_kind(&firing.terms.when)) else { return false };
    let (size, whole) = match rule.when {
        Condition::Drop(change) | Condition::Rise(change) => (Some(change.size), levels.whole),
        Condition::Below(bound) | Condition::Above(bound) => (rule.step, Some(bound.abs())),
        Condition::NoData(_) => (None, None),
    };
    let scale = value.abs().max(notified.abs());
    size.zip(whole).is_some_and(|(size, whole)| size.is_reached(rule.when.further(notified, value), whole, scale))
}

fn worse(when: &Condition, known: Option<f64>, value: f64) -> f64 {
    known.filter(|&known| when.further(known, value) <= 0.0).unwrap_or(value)
}
