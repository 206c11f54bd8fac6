//! The parts of a trace in words.

use crate::{
    cli::output::time,
    domain::{ChannelName, ScoreKind, Timestamp, format_duration},
    query::explain::{Decision, Outcome, SeriesTrace},
    rule::{
        AlertState, Recover, Rule,
        baseline::{Chosen, Reference},
        display,
        explain::{Baseline, Comparison, Explanation, Side},
    },
};

/// One decision as a line.
pub(super) fn decision(decision: &Decision) -> String {
    format!("  {} {}", if decision.blocks { "!" } else { "-" }, decision.says)
}

/// The channels that are notified, as a line.
pub(super) fn notified_channels(channels: &[ChannelName]) -> String {
    let names: Vec<_> = channels.iter().map(ToString::to_string).collect();
    format!("Notified channels: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") })
}

/// The current rule in one line.
pub(super) fn reads(rule: &Rule) -> String {
    let mut parts = vec![format!("Definition: {}", rule.when)];
    parts.extend(rule.score.map(|score| format!("of {score}")));
    if !rule.hold.is_zero() {
        parts.push(format!("for {}", format_duration(rule.hold)));
    }
    parts.extend(rule.recover.map(|recover| match recover {
        Recover::Above(mark) => format!("until above {mark}"),
        Recover::Below(mark) => format!("until below {mark}"),
        Recover::Regained(percent) => format!("until {percent}% is regained"),
    }));
    parts.push(rule.severity.to_string());
    parts.extend(rule.repeat.map(|repeat| format!("reminder every {}", format_duration(repeat))));
    parts.extend(rule.escalate.iter().map(|step| {
        let channels: Vec<&str> = step.notify.iter().map(ChannelName::as_str).collect();
        format!("escalates to {} after {}", channels.join(", "), format_duration(step.after))
    }));
    parts.extend(rule.step.map(|step| format!("again at every further {step}")));
    parts.extend(rule.accept_after.map(|after| format!("accepted after {}", format_duration(after))));
    parts.join(", ")
}

/// What a series is called.
pub(super) fn name(series: &SeriesTrace) -> String {
    let score = series.score.map_or("all scores", ScoreKind::as_str);
    series.subject.as_ref().map_or_else(|| score.to_owned(), |subject| format!("{score} of {subject}"))
}

/// The state of an alert.
pub(super) fn state(state: &AlertState) -> String {
    match state {
        AlertState::Inactive => "not firing".to_owned(),
        AlertState::Pending(pending) => format!("pending since {}", time(pending.since)),
        AlertState::Firing(firing) if firing.since == firing.fired_at => format!("firing since {}", time(firing.since)),
        AlertState::Firing(firing) => {
            format!("firing since {} (condition has held since {})", time(firing.fired_at), time(firing.since))
        }
    }
}

/// Values as eight heights between the least and the greatest of them.
pub(super) fn sparkline(values: &[f64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let span = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
    let height = |value: &f64| {
        let share = if span > 0.0 { (value - least) / span } else { 0.5 };
        HEIGHTS
            .iter()
            .rev()
            .enumerate()
            .find(|(steps, _)| share * 8.0 >= 7.0 - f64::from(u8::try_from(*steps).unwrap_or(7)))
    };
    values.iter().filter_map(height).map(|(_, height)| *height).collect()
}

/// The comparison, and by how much the condition holds or does not.
pub(super) fn judged(explanation: &Explanation, rule: &Rule) -> Vec<String> {
    let value = explanation.reading.map(|reading| reading.value);
    let holds = if explanation.holds { "holds" } else { "does not hold" };
    let mut lines = Vec::new();
    match explanation.comparison {
        Some(Comparison::Bound { bound, beyond }) => {
            let value = value.map(|value| display::among(value, &[bound])).unwrap_or_default();
            let by = display::number(beyond.abs());
            let far = if explanation.holds {
                format!("by {by} points")
            } else if beyond < 0.0 {
                format!("{by} points to go")
            } else {
                "exactly at the bound".to_owned()
            };
            lines.push(format!("  condition: {value} against {bound}: {holds}, {far}"));
        }
        Some(Comparison::Change { baseline, loss, loss_percent, needed }) => {
            lines.push(format!(
                "  baseline: {}",
                baseline.map_or_else(
                    || "none: there is no earlier reading to compare with, so nothing fires".to_owned(),
                    of_baseline
                )
            ));
            if let (Some(loss), Some(needed)) = (loss, needed) {
                let percent =
                    loss_percent.map(|percent| format!(" ({}%)", display::number(percent))).unwrap_or_default();
                let verb = if matches!(rule.when, crate::rule::Condition::Rise(_)) { "risen" } else { "lost" };
                lines.push(format!(
                    "  condition: {} points{percent} {verb}, {} needed: {holds}",
                    display::among(loss, &[needed]),
                    display::among(needed, &[loss])
                ));
            } else if baseline.is_some() {
                lines.push("  condition: the baseline is 0, so a percentage never holds".to_owned());
            }
        }
        Some(no_data @ Comparison::NoData { .. }) => lines.extend(of_data(no_data, explanation)),
        None => {}
    }
    if let Some(hold) = explanation.hold.filter(|hold| !hold.needed.is_zero()) {
        lines.push(format!(
            "  for: has held for {} of {} (since {}); the first reading at or after {} fires if the condition still \
             holds",
            format_duration(whole(hold.lasted)),
            format_duration(hold.needed),
            time(hold.since),
            time(hold.fires_from)
        ));
    }
    lines
}

/// How long there has been no data, of the time that is needed.
fn of_data(comparison: Comparison, explanation: &Explanation) -> Vec<String> {
    let Comparison::NoData { score, since, lasted, downtime, missed_at, needed, until } = comparison else {
        return Vec::new();
    };
    let holds = if explanation.holds { "holds" } else { "does not hold" };
    let mut lines = Vec::new();
    let down = if downtime.is_zero() {
        String::new()
    } else {
        format!(", not counting {} of our own downtime", format_duration(whole(downtime)))
    };
    lines.push(format!(
        "  data: none of {score} since {}, {} ago{down}; {} needed: {holds}",
        time(since),
        format_duration(whole(lasted)),
        format_duration(needed)
    ));
    if explanation.holds {
        let scores: Vec<_> = explanation.without_data.iter().map(|score| score.as_str()).collect();
        lines.push(format!("  without data: {}", scores.join(", ")));
    } else {
        lines.push(missing(missed_at, until));
    }
    lines
}

/// When the condition `no_data` would hold.
fn missing(missed_at: Option<Timestamp>, until: Option<Timestamp>) -> String {
    match (missed_at, until) {
        (Some(missed_at), Some(until)) => {
            format!(
                "  without new data it will hold at {}; a scheduled check counts as missed or failed from {}",
                time(until),
                time(missed_at)
            )
        }
        _ => "  it can't hold while no check is scheduled".to_owned(),
    }
}

fn of_baseline(baseline: Baseline) -> String {
    match baseline {
        Baseline::Frozen { value, at } => format!("{}, frozen when it fired at {}", display::number(value), time(at)),
        Baseline::Window(Reference { value, chosen, candidates, from, until, gap, .. }) => {
            let (value, from, until) = (display::number(value), time(from), time(until));
            let chosen = match chosen {
                Chosen::Best(sample) => {
                    format!("{value} at {}, the best of {candidates} between {from} and {until}", time(sample.at))
                }
                Chosen::Previous(sample) => format!("{value} at {}, the previous reading", time(sample.at)),
                Chosen::Average => format!("{value}, the average of {candidates} between {from} and {until}"),
                Chosen::AcrossGap(sample) => format!(
                    "{value} at {}, the last reading before a gap: there is none between {from} and {until}",
                    time(sample.at)
                ),
                Chosen::Kept(sample) => {
                    format!("{value}, the baseline when it began to hold (last read at {})", time(sample.at))
                }
            };
            let gap = gap.map(|gap| format!("; no readings between {} and {}", time(gap.from), time(gap.until)));
            format!("{chosen}{}", gap.unwrap_or_default())
        }
    }
}

/// What resolves a firing alert, and what happens without a further reading: reminders, acceptance.
pub(super) fn coming(explanation: &Explanation, series: &SeriesTrace) -> Vec<String> {
    let AlertState::Firing(firing) = &series.alert.state else { return Vec::new() };
    let mut lines = Vec::new();
    match explanation.recovery {
        Some(recovery) => {
            let side = match recovery.side {
                Side::Above => "above",
                Side::AtLeast => "at least",
                Side::Below => "below",
                Side::AtMost => "at most",
            };
            lines.push(match (recovery.mark, recovery.missing) {
                (Some(mark), Some(missing)) => {
                    format!("  resolves: {side} {}; {} points to go", display::number(mark), display::number(missing))
                }
                _ => "  resolves: at no fixed value".to_owned(),
            });
        }
        None if matches!(firing.terms.when, crate::rule::Condition::NoData(_)) => {
            lines.push("  resolves: with the next reading".to_owned());
        }
        None => {}
    }
    lines.push(series.notified_at.map_or_else(
        || "  newest message: still on its way".to_owned(),
        |at| format!("  newest message: settled at {}", time(at)),
    ));
    if let Some(reminder) = explanation.reminder {
        lines.push(reminder.at.map_or_else(
            || format!("  reminder: {} after the newest message is settled", format_duration(reminder.repeat)),
            |at| format!("  reminder: {}", time(at)),
        ));
    }
    if let Some(escalation) = explanation.escalation {
        let after = format_duration(escalation.after);
        lines.push(escalation.at.map_or_else(
            || format!("  escalation: {after} after its notification is no longer held or acknowledged"),
            |at| format!("  escalation: {}, unless somebody acknowledges it", time(at)),
        ));
    }
    lines.extend(explanation.accepted_at.map(|at| format!("  accepted as the new level: {}", time(at))));
    lines
}

/// What comes of it.
pub(super) const fn verdict(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::AwaitsSecondZero => "it waits for a second reading of zero",
        Outcome::NothingToEvaluate => "nothing to evaluate: there is no reading",
        Outcome::DoesNotHold => "it does not fire, because the condition does not hold",
        Outcome::Pends => "it is pending until `for` has passed",
        Outcome::Fires => "it fires",
        Outcome::WillFire => "it would fire at the next evaluation: the condition holds with the current rule",
        Outcome::GoesOn => "it keeps firing; there is nothing new to report",
        Outcome::Worsens => "it keeps firing and is about to be reported as worse",
        Outcome::Unstable => "it has changed too often and is about to be reported as unstable",
        Outcome::Reminds => "it keeps firing, and a reminder is due",
        Outcome::Escalates => "it keeps firing, and nobody has acknowledged it in time",
        Outcome::WillBeAccepted => "it is about to be accepted as the new level",
        Outcome::WillResolve => "it would resolve at the next evaluation, with the current rule",
    }
}

/// Drops fractions of a second, which nobody needs in a text.
pub(super) fn whole(duration: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_secs(duration.as_secs())
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn a_sparkline_spans_from_the_least_to_the_greatest_value() {
        for (values, drawn) in [
            (&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0][..], "▁▂▃▄▅▆▇█"),
            (&[500.0, 200.0], "█▁"),
            (&[5.0, 5.0], "▅▅"),
            (&[], ""),
        ] {
            assert_eq!(sparkline(values), drawn, "{values:?}");
        }
    }
}
