//! The bound that a condition names, for messages that put a value beside it.

/// The bound or size in a condition's words, as written there: `below 300`, `drop 5% within 24h`, `rise 20pts within 7d`.
pub(super) enum Bound {
    /// Of the value itself.
    Value(f64),
    /// Of the loss, in percent.
    Percent(f64),
    /// Of the loss, in the score's unit.
    Points(f64),
}

/// Finds the bound in a condition's words.
pub(super) fn of_condition(condition: &str) -> Option<Bound> {
    let mut words = condition.split_whitespace();
    let (verb, size) = (words.next()?, words.next()?);
    match verb {
        "below" | "above" => Some(Bound::Value(size.parse().ok()?)),
        "drop" | "rise" => match size.strip_suffix('%') {
            Some(percent) => Some(Bound::Percent(percent.parse().ok()?)),
            None => Some(Bound::Points(size.strip_suffix("pts")?.parse().ok()?)),
        },
        _ => None,
    }
}
