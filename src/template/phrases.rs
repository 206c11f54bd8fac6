//! Numbers, instants and durations as messages say them.

use std::time::Duration;

use super::bound::{self, Bound};
use crate::{
    domain::{Timestamp, Unit},
    notify::notification::{Facts, ScoreFacts},
    rule::display::{self, number},
};

/// How far the value moved from the baseline, for a headline: `−23%`; `None`: it was not compared with one.
pub(super) fn moved(score: &ScoreFacts) -> Option<String> {
    let sign = if score.value? < score.baseline? { "−" } else { "+" };
    let percent = score.loss_percent?.abs();
    // A headline is for a first look: tenths count below ten percent only.
    let rounded = if percent < 10.0 { (percent * 10.0).round() / 10.0 } else { percent.round() };
    Some(format!("{sign}{}%", number(rounded)))
}

/// How far from the baseline, as shown.
pub(super) fn loss(data: &Facts) -> Option<String> {
    data.score.as_ref().and_then(|score| Numbers::of(data, score).loss)
}

/// The numbers as shown, so that no two of them contradict each other or the condition.
pub(super) struct Numbers {
    pub(super) value: Option<String>,
    pub(super) baseline: Option<String>,
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
        let loss = score.loss.map(|loss| {
            let others = if let Some(Bound::Points(size)) = bound { vec![size] } else { Vec::new() };
            let verb = if loss < 0.0 { "gained " } else { "" };
            let percent = score.loss_percent.map(|percent| {
                let others = if let Some(Bound::Percent(size)) = bound { vec![size] } else { Vec::new() };
                format!(" ({}%)", unsigned(display::among(percent, &others)))
            });
            format!("{verb}{} {points}{}", unsigned(display::among(loss, &others)), percent.unwrap_or_default())
        });
        Self {
            value: score.value.map(|value| level(value, score.baseline)),
            baseline: score.baseline.map(|baseline| level(baseline, score.value)),
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
    }
}
