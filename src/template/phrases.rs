//! Numbers and sentences as messages say them.

use super::bound::{self, Bound};
use crate::{
    domain::{Better, Unit},
    notify::{
        language::Words,
        notification::{Facts, ScoreFacts},
    },
    rule::display::{self, number},
};

/// How far the value moved from the baseline, for a headline: `−23%`, or `−11 points` for a score that is a percentage itself.
/// `None`: it was not compared with one.
pub(super) fn moved(score: &ScoreFacts, words: &Words) -> Option<String> {
    let (value, baseline) = (score.value?, score.baseline?);
    let sign = if value < baseline { "−" } else { "+" };
    // A headline is for a first look: tenths count below ten only.
    let rounded = |size: f64| if size < 10.0 { (size * 10.0).round() / 10.0 } else { size.round() };
    if score.kind.unit() == Unit::Percent {
        let size = rounded((value - baseline).abs());
        return (size > 0.0).then(|| format!("{sign}{}", words.worth(size)));
    }
    let percent = rounded(score.loss_percent?.abs());
    (percent > 0.0).then(|| format!("{sign}{}", words.percent(&number(percent))))
}

/// Whether larger numbers of that score are bad news, which most readers do not expect of a score.
pub(super) fn is_lower_better(score: &ScoreFacts) -> bool {
    score.kind.better() == Better::Lower
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
pub(super) fn loss(data: &Facts, words: &Words) -> Option<Loss> {
    data.score.as_ref().and_then(|score| Numbers::of(data, score, words).loss)
}

/// How far a value is from its baseline.
pub(super) struct Loss {
    pub(super) is_gain: bool,
    /// How far, with its unit.
    pub(super) size: String,
    /// The same in percent, without a sign.
    pub(super) percent: Option<String>,
}

impl Loss {
    /// Both sizes in one text.
    pub(super) fn whole(&self) -> String {
        let percent = self.percent.as_ref().map(|percent| format!(" ({percent})")).unwrap_or_default();
        format!("{}{percent}", self.size)
    }
}

/// The numbers as shown, so that no two of them contradict each other or the condition.
pub(super) struct Numbers {
    pub(super) value: Option<String>,
    pub(super) baseline: Option<String>,
    /// The value that was reported before this one, if that was better.
    pub(super) previous: Option<String>,
    pub(super) loss: Option<Loss>,
}

impl Numbers {
    pub(super) fn of(data: &Facts, score: &ScoreFacts, words: &Words) -> Self {
        let bound = data.rule.as_ref().and_then(|rule| bound::of_condition(&rule.condition));
        let (is_percent, points) = match score.kind.unit() {
            Unit::Percent => (true, words.percentage_points),
            Unit::Points | Unit::PointsOf100 => (false, words.points),
        };
        let value_bound = if let Some(Bound::Value(bound)) = bound { Some(bound) } else { None };
        let around = |other: Option<f64>| other.into_iter().chain(value_bound).collect::<Vec<f64>>();
        let level = |value: f64, other| {
            let number = display::among(value, &around(other));
            if is_percent { words.percent(&number) } else { words.decimals(&number) }
        };
        let is_worse = |value: f64, previous: f64| match score.kind.better() {
            Better::Higher => value < previous,
            Better::Lower => value > previous,
        };
        let previous = score.previous.zip(score.value).filter(|(previous, value)| is_worse(*value, *previous));
        let loss = score.loss.map(|loss| {
            let others = if let Some(Bound::Points(size)) = bound { vec![size] } else { Vec::new() };
            let percent = score.loss_percent.map(|percent| {
                let others = if let Some(Bound::Percent(size)) = bound { vec![size] } else { Vec::new() };
                words.percent(&unsigned(display::among(percent, &others)))
            });
            let size = words.with_noun(&unsigned(display::among(loss, &others)), points);
            Loss { is_gain: loss < 0.0, size, percent }
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

/// Whether a runbook is one to open and not one to read.
pub(super) fn is_link(runbook: &str) -> bool {
    runbook.starts_with("https://") && !runbook.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

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
