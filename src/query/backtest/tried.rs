//! A rule as somebody tries it: with another bound, size, window or waiting time than what is written.

use std::time::Duration;

use crate::{
    domain::parse_duration,
    query::Error,
    rule::{Condition, Recover, Rule, Size},
};

/// The largest relative size, in percent, as in the configuration.
const PERCENT_MAX: f64 = 1000.0;

/// What is tried in place of what is written; `None`: as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried {
    /// The condition in words, of the same kind as the one written: `drop 3% within 12h`, `below 300`, `no data for 6h`.
    pub condition: Option<String>,
    /// How long it must have held, such as `30m`.
    pub pending_for: Option<String>,
}

impl Tried {
    /// Whether anything is tried.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.condition.is_some() || self.pending_for.is_some()
    }

    /// The rule as it is tried. A mark that ends its alerts moves along with a bound.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that can't be tried.
    pub fn apply(&self, rule: &Rule) -> Result<Rule, Error> {
        let mut problems = Vec::new();
        let when = self.condition.as_deref().map_or(Ok(rule.when), |text| condition(rule, text));
        let when = when.map_err(|problem| problems.push(problem));
        let hold = self.pending_for.as_deref().map_or(Ok(rule.hold), |text| {
            parse_duration(text).map_err(|complaint| format!("`for`: {complaint}")).and_then(|hold| {
                let is_never = rule.is_no_data() && !hold.is_zero();
                if is_never { Err("`for`: `no data` already says how long".to_owned()) } else { Ok(hold) }
            })
        });
        let hold = hold.map_err(|problem| problems.push(problem));
        match (when, hold) {
            (Ok(when), Ok(hold)) => Ok(Rule { hold, ..with_condition(rule, when) }),
            _ => Err(Error::Invalid(problems)),
        }
    }
}

/// Reads a condition that can take the place of the rule's.
fn condition(rule: &Rule, text: &str) -> Result<Condition, String> {
    let written = rule.when;
    let read = Condition::from_words(text.trim()).filter(|read| read.is_same_kind(&written));
    let read = read.ok_or_else(|| format!("`{text}` can't take the place of `{written}`; write it in the same way"))?;
    let is_possible = match read {
        Condition::Below(bound) | Condition::Above(bound) => bound.is_finite() && bound >= 0.0,
        Condition::Drop(change) | Condition::Rise(change) => !change.within.is_zero() && is_size(change.size),
        Condition::NoData(length) => length > Duration::ZERO,
    };
    if is_possible { Ok(read) } else { Err(format!("`{text}` is not possible: numbers and times are above zero")) }
}

fn is_size(size: Size) -> bool {
    match size {
        Size::Percent(percent) => percent > 0.0 && percent <= PERCENT_MAX,
        Size::Points(points) => points > 0.0 && points.is_finite(),
    }
}

/// The rule with another condition of the same kind. A mark that ends its alerts keeps its distance from the bound.
pub(super) fn with_condition(rule: &Rule, when: Condition) -> Rule {
    let moved = match (rule.when, when) {
        (Condition::Below(before), Condition::Below(bound)) | (Condition::Above(before), Condition::Above(bound)) => {
            bound - before
        }
        _ => 0.0,
    };
    let recover = rule.recover.map(|recover| match recover {
        Recover::Above(mark) => Recover::Above(mark + moved),
        Recover::Below(mark) => Recover::Below(mark + moved),
        Recover::Regained(share) => Recover::Regained(share),
    });
    Rule { when, recover, ..rule.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleName;

    fn rule(condition: &str, recover: Option<Recover>) -> Rule {
        let when = Condition::from_words(condition).unwrap();
        Rule { recover, ..Rule::new(RuleName::parse("rule").unwrap(), when) }
    }

    #[test]
    fn a_threshold_is_tried_if_it_can_take_the_place_of_the_one_written() {
        for (written, tried, pending_for, said) in [
            ("below 300", Some("below 280"), None, Ok("below 280 0s")),
            (
                "drop 5% within 24h",
                Some("drop 20pts within 12h from previous"),
                Some("30m"),
                Ok("drop 20pts within 12h from previous 1800s"),
            ),
            ("no data for 6h", Some("no data for 1h"), None, Ok("no data for 1h 0s")),
            ("below 300", None, Some("1h"), Ok("below 300 3600s")),
            ("below 300", Some("above 300"), None, Err("`above 300` can't take the place of `below 300`")),
            ("drop 5% within 24h", Some("drop 5 within 24h"), None, Err("write it in the same way")),
            ("drop 5% within 24h", Some("drop 0% within 24h"), None, Err("not possible")),
            ("drop 5% within 24h", Some("drop 2000% within 24h"), None, Err("not possible")),
            ("drop 5% within 24h", Some("drop NaN% within 24h"), None, Err("not possible")),
            ("drop 5% within 24h", Some("drop 5% within 0s"), None, Err("not possible")),
            ("below 300", Some("below inf"), None, Err("not possible")),
            ("below 300", Some("below -1"), None, Err("not possible")),
            ("no data for 6h", None, Some("1h"), Err("already says how long")),
            ("below 300", None, Some("soon"), Err("`for`: ")),
        ] {
            let tried = Tried { condition: tried.map(str::to_owned), pending_for: pending_for.map(str::to_owned) };
            let read = tried.apply(&rule(written, None)).map(|rule| format!("{} {}s", rule.when, rule.hold.as_secs()));
            match (read, said) {
                (Ok(read), Ok(said)) => assert_eq!(read, said),
                (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{tried:?}: {error}"),
                (read, said) => panic!("{tried:?}: {read:?}, not {said:?}"),
            }
        }
    }

    #[test]
    fn the_mark_that_ends_an_alert_keeps_its_distance() {
        let tried = Tried { condition: Some("below 280".to_owned()), pending_for: None };
        let read = tried.apply(&rule("below 300", Some(Recover::Above(320.0)))).unwrap();
        assert_eq!(read.recover, Some(Recover::Above(300.0)));
    }
}
