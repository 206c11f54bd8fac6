//! Conditions: what they are, and whether they hold. Compared at full precision; nothing is rounded here.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::domain::{format_duration, parse_duration};

/// What must hold for a rule to fire.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The value is strictly less than this.
    Below(f64),
    /// The value is strictly greater than this.
    Above(f64),
    /// The value fell from its baseline by at least the change's size.
    Drop(Change),
    /// The value rose from its baseline by at least the change's size.
    Rise(Change),
    /// There was no reading for at least this long.
    NoData(
        // As `durations_in_words` writes it.
        #[schemars(with = "String")] Duration,
    ),
}

/// A `drop` or `rise`: how much, against what.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// The smallest change that fires; inclusive.
    pub size: Size,
    /// How far back the baseline may lie: the window is `[t − within, t)`.
    #[schemars(with = "String")]
    pub within: Duration,
    /// Which value of the window is the baseline.
    pub from: BaselineChoice,
}

/// The size of a change, absolute or relative.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Relative, in percent: `5%`.
    Percent(f64),
    /// Absolute, in the score's unit: `20pts`.
    Points(f64),
}

/// Which value of the window is the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BaselineChoice {
    /// The highest for `drop`, the lowest for `rise`.
    #[default]
    Best,
    /// The newest before the reading.
    Previous,
    /// The arithmetic mean of the window's samples.
    Average,
}

/// What must hold for a firing alert to be over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recover {
    /// The value is strictly greater than this.
    Above(f64),
    /// The value is strictly less than this.
    Below(f64),
    /// At least this share of the alert's greatest loss is regained, in percent.
    Regained(f64),
}

/// What an alert is judged by: when it holds and when it is over. A firing alert keeps those that it fired under,
/// so that an alert ended by an edit of its rule is never reported as recovered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Terms {
    /// What must hold for it to fire.
    pub when: Condition,
    /// What must hold for it to be over; `None`: the condition no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover: Option<Recover>,
}

impl Condition {
    /// Whether the condition holds at `value`. `baseline` is what a `drop` or `rise` is measured against; without one they
    /// do not hold. `no_data` never holds at a value.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scorewatch::rule::{BaselineChoice, Change, Condition, Size};
    ///
    /// assert!(!Condition::Below(300.0).holds(300.0, None), "`below` is strict");
    /// let size = Size::Percent(5.0);
    /// let drop = Condition::Drop(Change { size, within: Duration::from_hours(24), from: BaselineChoice::Best });
    /// assert!(drop.holds(380.0, Some(400.0)), "`drop` is inclusive");
    /// assert!(!drop.holds(380.0, None), "without a baseline nothing fell");
    /// ```
    #[must_use]
    pub fn holds(&self, value: f64, baseline: Option<f64>) -> bool {
        match self {
            Self::Below(bound) => value < *bound,
            Self::Above(bound) => value > *bound,
            Self::Drop(change) | Self::Rise(change) => {
                baseline.is_some_and(|baseline| change.size.is_reached(self.further(baseline, value), baseline, value))
            }
            Self::NoData(_) => false,
        }
    }

    /// Reads what [`Display`](fmt::Display) wrote; `None`: another version wrote it.
    #[must_use]
    pub fn from_words(text: &str) -> Option<Self> {
        let (verb, rest) = text.split_once(' ')?;
        Some(match verb {
            "below" => Self::Below(rest.parse().ok()?),
            "above" => Self::Above(rest.parse().ok()?),
            "drop" => Self::Drop(Change::from_words(rest)?),
            "rise" => Self::Rise(Change::from_words(rest)?),
            "no" => Self::NoData(parse_duration(rest.strip_prefix("data for ")?).ok()?),
            _ => return None,
        })
    }

    /// The change that a `drop` or `rise` asks for.
    #[must_use]
    pub const fn change(&self) -> Option<&Change> {
        match self {
            Self::Drop(change) | Self::Rise(change) => Some(change),
            Self::Below(_) | Self::Above(_) | Self::NoData(_) => None,
        }
    }

    /// Whether both are of one kind, so that baseline and worst value of the one mean the same to the other.
    #[must_use]
    pub fn is_same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Condition {
    /// In words, as messages and JSON show it: `below 300`, `drop 5% within 24h`, `no data for 6h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(bound) => write!(f, "below {bound}"),
            Self::Above(bound) => write!(f, "above {bound}"),
            Self::Drop(change) => write!(f, "drop {change}"),
            Self::Rise(change) => write!(f, "rise {change}"),
            Self::NoData(silence) => write!(f, "no data for {}", format_duration(*silence)),
        }
    }
}

impl Change {
    fn from_words(text: &str) -> Option<Self> {
        let (size, rest) = text.split_once(" within ")?;
        let size = match size.strip_suffix('%') {
            Some(percent) => Size::Percent(percent.parse().ok()?),
            None => Size::Points(size.strip_suffix("pts")?.parse().ok()?),
        };
        let (within, from) = match rest.split_once(" from ") {
            Some((within, "previous")) => (within, BaselineChoice::Previous),
            Some((within, "average")) => (within, BaselineChoice::Average),
            Some(_) => return None,
            None => (rest, BaselineChoice::Best),
        };
        Some(Self { size, within: parse_duration(within).ok()?, from })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} within {}", self.size, format_duration(self.within))?;
        match self.from {
            BaselineChoice::Best => Ok(()),
            BaselineChoice::Previous => f.write_str(" from previous"),
            BaselineChoice::Average => f.write_str(" from average"),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Points(points) => write!(f, "{points}pts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_read_back_as_it_was_written() {
        for text in [
            "below 300",
            "above 49.5",
            "drop 5% within 24h",
            "rise 20pts within 7d",
            "drop 0.5pts within 1h30m from previous",
            "rise 5% within 2d from average",
            "no data for 6h",
        ] {
            assert_eq!(Condition::from_words(text).map(|read| read.to_string()).as_deref(), Some(text));
        }
        for other in
            ["", "below", "below x", "drop 5 within 24h", "drop 5% within 24h from best", "many tenants can't be read"]
        {
            assert_eq!(Condition::from_words(other), None, "{other}");
        }
    }
}
