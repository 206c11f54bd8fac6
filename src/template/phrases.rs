//! Numbers, instants, durations and sentences as messages say them.

use std::time::Duration;

use super::bound::{self, Bound};
use crate::{
    domain::{Better, Timestamp, Unit},
    notify::notification::{Facts, ScoreFacts},
    rule::display::{self, number},
};

/// How far the value moved from the baseline, for a headline: `−23%`, or `−11 points` for a score that is a percentage itself.
/// `None`: it was not compared with one.
pub(super) fn moved(score: &ScoreFacts) -> Option<String> {
    let (value, baseline) = (score.value?, score.baseline?);
    let sign = if value < baseline { "−" } else { "+" };
    // A headline is for a first look: tenths count below ten only.
    let rounded = |size: f64| if size < 10.0 { (size * 10.0).round() / 10.0 } else { size.round() };
    if score.kind.unit() == Unit::Percent {
        let size = rounded((value - baseline).abs());
        let points = if (size - 1.0).abs() < f64::EPSILON { "point" } else { "points" };
        return (size > 0.0).then(|| format!("{sign}{} {points}", number(size)));
    }
    let percent = rounded(score.loss_percent?.abs());
    (percent > 0.0).then(|| format!("{sign}{}%", number(percent)))
}

/// Whether larger numbers of that score are bad news, which most readers do not expect of a score.
pub(super) fn is_lower_better(score: &ScoreFacts) -> bool {
    score.kind.better() == Better::Lower
}

/// `1 alert`, `2 alerts`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A text that begins with a capital.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// A clause as a sentence of its own: it begins with a capital and ends with a full stop.
pub(super) fn sentence(clause: &str) -> String {
    let clause = clause.trim();
    let mut letters = clause.chars();
    let Some(first) = letters.next() else { return String::new() };
    let end = if clause.ends_with(['.', '!', '?', '…', ':']) { "" } else { "." };
    // A word that is a name, such as `check_timeout`, stays as it is.
    let is_name = clause
        .split_whitespace()
        .next()
        .is_some_and(|word| word.contains(['_', '/', '-']) || word.starts_with("https"));
    let first = if is_name { first.to_string() } else { first.to_uppercase().to_string() };
    format!("{first}{}{end}", letters.as_str())
}

/// How far from the baseline, as shown.
pub(super) fn loss(data: &Facts) -> Option<String> {
    data.score.as_ref().and_then(|score| Numbers::of(data, score).loss)
}

/// The numbers as shown, so that no two of them contradict each other or the condition.
pub(super) struct Numbers {
    pub(super) value: Option<String>,
    pub(super) baseline: Option<String>,
    /// The value that was reported before this one, if that was better.
    pub(super) previous: Option<String>,
    pub(super) loss: Option<String>,
}

impl Numbers {
    pub(super) fn of(data: &Facts, score: &ScoreFacts) -> Self {
        let bound = data.rule.as_ref().and_then(|rule| bound::of_condition(&rule.condition));
        let (sign, points) = match score.kind.unit() {
            Unit::Percent => ("%", "percentage points"),
            Unit::Points | Unit::PointsOf100 => ("", "points"),
        };
        let value_bound = if let Some(Bound::Value(bound)) = bound { Some(bound) } else { None };
        let around = |other: Option<f64>| other.into_iter().chain(value_bound).collect::<Vec<f64>>();
        let level = |value: f64, other| format!("{}{sign}", display::among(value, &around(other)));
        let is_worse = |value: f64, previous: f64| match score.kind.better() {
            Better::Higher => value < previous,
            Better::Lower => value > previous,
        };
        let previous = score.previous.zip(score.value).filter(|(previous, value)| is_worse(*value, *previous));
        let loss = score.loss.map(|loss| {
            let others = if let Some(Bound::Points(size)) = bound { vec![size] } else { Vec::new() };
            let verb = if loss < 0.0 { "gained " } else { "" };
            let percent = score.loss_percent.map(|percent| {
                let others = if let Some(Bound::Percent(size)) = bound { vec![size] } else { Vec::new() };
                format!(" ({}%)", unsigned(display::among(percent, &others)))
            });
            let size = unsigned(display::among(loss, &others));
            let points = if size == "1" { points.trim_end_matches('s') } else { points };
            format!("{verb}{size} {points}{}", percent.unwrap_or_default())
        });
        Self {
            value: score.value.map(|value| level(value, score.baseline)),
            baseline: score.baseline.map(|baseline| level(baseline, score.value)),
            previous: previous.map(|(previous, value)| level(previous, Some(value))),
            loss,
        }
    }
}

/// A number without its sign.
pub(super) fn unsigned(mut number: String) -> String {
    if number.starts_with('-') {
        number.remove(0);
    }
    number
}

/// An instant for people: `2026-11-24 09:15 UTC`.
pub(super) fn utc(at: Timestamp) -> String {
    at.to_chrono().format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A duration for people, in its two largest units: `2 days 3 hours`.
pub(super) fn duration(lasted: Duration) -> String {
    let mut seconds = lasted.as_secs();
    let mut words = Vec::new();
    for (unit, size) in [("day", 86_400), ("hour", 3_600), ("minute", 60)] {
        let count = seconds / size;
        seconds %= size;
        if count > 0 {
            words.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
        }
    }
    words.truncate(2);
    if words.is_empty() { "less than a minute".to_owned() } else { words.join(" ") }
}

/// A duration for a headline, in its largest unit: `2 days`.
pub(super) fn briefly(lasted: Duration) -> String {
    let whole = duration(lasted);
    let mut words = whole.splitn(3, ' ');
    match (words.next(), words.next()) {
        (Some(count), Some(unit)) if count.parse::<u64>().is_ok() => format!("{count} {unit}"),
        _ => whole,
    }
}

/// Whether a runbook is one to open and not one to read.
pub(super) fn is_link(runbook: &str) -> bool {
    runbook.starts_with("https://") && !runbook.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_read_well() {
        assert_eq!(utc(Timestamp::parse("2026-11-24T09:15:58.5Z").unwrap()), "2026-11-24 09:15 UTC");
        for (seconds, text) in
            [(0, "less than a minute"), (60, "1 minute"), (5_400, "1 hour 30 minutes"), (183_661, "2 days 3 hours")]
        {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
        for (seconds, text) in [(0, "less than a minute"), (60, "1 minute"), (5_400, "1 hour"), (183_661, "2 days")] {
            assert_eq!(briefly(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_clause_becomes_a_sentence_and_a_name_stays_as_it_is() {
        for (clause, text) in [
            ("create a new secret", "Create a new secret."),
            ("Checks succeed.", "Checks succeed."),
            ("`spread` is too small", "`spread` is too small."),
            ("device-secure-score: checks fail", "device-secure-score: checks fail."),
            ("https://wiki.example/x", "https://wiki.example/x."),
            ("éviter", "Éviter."),
            (" ", ""),
        ] {
            assert_eq!(sentence(clause), text);
        }
    }
}
