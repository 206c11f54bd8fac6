//! What a rule makes of the newest reading, in sentences.

use crate::{
    domain::format_duration,
    query::explain::{Outcome, SeriesTrace},
    rule::{
        AlertState, Condition, Recover, Rule, display,
        explain::{Baseline, Comparison, Explanation, Side},
    },
    web::pages::words::{Clockface, length},
};

/// The rule as it is now, in one line.
pub(super) fn definition(rule: &Rule) -> String {
    let mut parts = vec![rule.when.to_string()];
    if !rule.hold.is_zero() {
        parts.push(format!("for {}", format_duration(rule.hold)));
    }
    parts.extend(rule.recover.map(|recover| match recover {
        Recover::Above(mark) => format!("until above {mark}"),
        Recover::Below(mark) => format!("until below {mark}"),
        Recover::Regained(percent) => format!("until {percent}% is regained"),
    }));
    parts.extend(rule.repeat.map(|repeat| format!("reminder every {}", format_duration(repeat))));
    parts.extend(rule.step.map(|step| format!("again at every further {step}")));
    parts.extend(rule.accept_after.map(|after| format!("accepted after {}", format_duration(after))));
    parts.join(", ")
}

/// What is compared, what would end the alert, and what comes next.
pub(super) fn sentences(series: &SeriesTrace, rule: &Rule, face: &Clockface) -> Vec<String> {
    let explanation = &series.explanation;
    let mut sentences: Vec<String> = comparison(explanation, rule, face).into_iter().collect();
    if let Some(hold) = explanation.hold.filter(|hold| !hold.needed.is_zero()) {
        sentences.push(format!(
            "The condition has held for {} of {}; the first reading at or after {} fires.",
            length(hold.lasted),
            format_duration(hold.needed),
            face.full(hold.fires_from)
        ));
    }
    sentences.extend(recovery(series));
    if series.alert.is_firing() {
        sentences.push(series.notified_at.map_or_else(
            || "Its newest message is still on its way.".to_owned(),
            |at| format!("Its newest message reached somebody at {}.", face.full(at)),
        ));
        if let Some(at) = explanation.reminder.and_then(|reminder| reminder.at) {
            sentences.push(format!("The next reminder is due at {}.", face.full(at)));
        }
        sentences
            .extend(explanation.accepted_at.map(|at| format!("It is accepted as the new level at {}.", face.full(at))));
    }
    sentences
}

fn comparison(explanation: &Explanation, rule: &Rule, face: &Clockface) -> Option<String> {
    let holds = if explanation.holds { "the condition holds" } else { "the condition does not hold" };
    Some(match explanation.comparison? {
        Comparison::Bound { bound, beyond } => {
            let value = explanation.reading.map(|reading| display::among(reading.value, &[bound])).unwrap_or_default();
            let by = display::number(beyond.abs());
            let far = if beyond > 0.0 { format!("{by} points beyond it") } else { format!("{by} points to go") };
            format!("The newest reading is {value}, the threshold {bound}: {holds}, {far}.")
        }
        Comparison::Change { baseline: None, .. } => {
            "There is no earlier reading to compare with, so nothing fires.".to_owned()
        }
        Comparison::Change { baseline: Some(baseline), loss, loss_percent, needed } => {
            let against = match baseline {
                Baseline::Frozen { value, at } => {
                    format!("the baseline {}, frozen when it fired at {}", display::number(value), face.full(at))
                }
                Baseline::Window(reference) => format!("the baseline {}", display::number(reference.value)),
            };
            let verb = if matches!(rule.when, Condition::Rise(_)) { "risen" } else { "lost" };
            match (loss, needed) {
                (Some(loss), Some(needed)) => {
                    let percent = loss_percent.map(|percent| format!(" ({percent:.1}%)")).unwrap_or_default();
                    let (loss, needed) = (display::among(loss, &[needed]), display::among(needed, &[loss]));
                    format!("{loss} points{percent} {verb} against {against}; {needed} fire: {holds}.")
                }
                _ => format!("Compared with {against}, which is 0: a percentage of it never holds."),
            }
        }
        Comparison::NoData { score, since, lasted, needed, .. } => format!(
            "No data of the {} since {}, {} ago; {} without data fire: {holds}.",
            super::words::score_name(score),
            face.full(since),
            length(lasted),
            format_duration(needed)
        ),
    })
}

fn recovery(series: &SeriesTrace) -> Option<String> {
    let AlertState::Firing(firing) = &series.alert.state else { return None };
    let Some(recovery) = series.explanation.recovery else {
        let is_blind = matches!(firing.terms.when, Condition::NoData(_));
        return is_blind.then(|| "The next reading resolves it.".to_owned());
    };
    let side = match recovery.side {
        Side::Above => "above",
        Side::AtLeast => "at least",
        Side::Below => "below",
        Side::AtMost => "at most",
    };
    let (mark, missing) = (recovery.mark?, recovery.missing?);
    let missing = if missing > 0.0 { format!("; {} points to go", display::number(missing)) } else { String::new() };
    Some(format!("It resolves at {side} {}{missing}.", display::number(mark)))
}

/// What comes of it.
pub(super) fn verdict(series: &SeriesTrace) -> &'static str {
    match series.outcome() {
        Outcome::AwaitsSecondZero => "Waiting for a second reading of zero.",
        Outcome::NothingToEvaluate => "Nothing to evaluate: there is no reading.",
        Outcome::DoesNotHold => "Not firing: the condition does not hold.",
        Outcome::Pends => "Pending until the rule's `for` has passed.",
        Outcome::Fires => "Firing.",
        Outcome::WillFire => "About to fire at the next evaluation.",
        Outcome::GoesOn => "Still firing; nothing new to report.",
        Outcome::Worsens => "Still firing, and about to be reported as worse.",
        Outcome::Unstable => "Changed too often; about to be reported as unstable.",
        Outcome::Escalates => "Still firing, and nobody has acknowledged it in time.",
        Outcome::Reminds => "Still firing, and a reminder is due.",
        Outcome::WillBeAccepted => "About to be accepted as the new level.",
        Outcome::WillResolve => "About to resolve at the next evaluation.",
    }
}
