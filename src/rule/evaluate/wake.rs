//! When an alert must be looked at again though no reading comes.

use super::{Situation, close, flapping, reminder_at};
use crate::{
    domain::{Sample, Timestamp},
    rule::{Alert, AlertState, Condition, Rule},
};

/// The earliest instant at which a tick could change something. `alert` is as the step left it; `is_told`: the step made a
/// notification, which is now on its way, so that no reminder can be foreseen.
pub(super) fn wake_at(
    rule: &Rule,
    alert: &Alert,
    reading: Option<Sample>,
    is_told: bool,
    situation: &Situation<'_>,
) -> Option<Timestamp> {
    let silence_ends = match rule.when {
        // A reading that is judged now is the newest data, whether or not the caller has counted it yet.
        Condition::NoData(silence) if reading.is_some() => Some(situation.now.plus(silence)),
        Condition::NoData(silence) => Some(situation.last_data.plus(silence).plus(situation.away)),
        _ => None,
    };
    // An alert that fired by another condition waits for the silence of its edited rule; one that fired by it does not.
    let fired_by = match &alert.state {
        AlertState::Firing(firing) => Some(firing.terms.when),
        AlertState::Inactive | AlertState::Pending(_) => None,
    };
    let silence_ends = silence_ends.filter(|_| !matches!(fired_by, Some(Condition::NoData(_))));
    if let Some(unstable) = &alert.flapping.unstable {
        let calm_at = flapping::calm_at(rule, unstable.changed_at, situation.now);
        return silence_ends.map_or(Some(calm_at), |at| Some(at.min(calm_at)));
    }
    let AlertState::Firing(firing) = &alert.state else { return silence_ends };
    let told = rule.repeat.zip(situation.told_at.filter(|_| !is_told));
    let reminder = told.map(|(repeat, told_at)| reminder_at(repeat, told_at, situation.now));
    let accepted = close::accepted_at(rule, firing);
    [reminder, accepted, silence_ends].into_iter().flatten().min()
}
