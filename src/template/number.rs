//! Numbers for people: rounded, but never so far that a message contradicts itself ("49.00 is below 49.00").

/// Digits after the point that are shown where they suffice.
const DECIMALS: usize = 2;
/// Enough to tell any two doubles of a score's size apart.
const DECIMALS_MAX: usize = 15;

/// `value` with as few decimals (two at least, trailing zeros cut) as keep it on its side of each of the `others`.
pub(super) fn display(value: f64, others: &[f64]) -> String {
    let keeps_sides = |decimals: usize| {
        let rounded = |number: f64| format!("{number:.decimals$}").parse::<f64>().unwrap_or(number);
        others.iter().all(|&other| {
            rounded(value).partial_cmp(&other) == value.partial_cmp(&other)
                && rounded(value).partial_cmp(&rounded(other)) == value.partial_cmp(&other)
        })
    };
    let text =
        (DECIMALS..=DECIMALS_MAX).find(|&decimals| keeps_sides(decimals)).map(|decimals| format!("{value:.decimals$}"));
    let text = text.unwrap_or_else(|| value.to_string());
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

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
pub(super) fn bound(condition: &str) -> Option<Bound> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_rounded_until_they_would_contradict() {
        for (value, others, text) in [
            (340.0, &[][..], "340"),
            (48.126, &[], "48.13"),
            (0.1, &[], "0.1"),
            (48.999, &[49.0], "48.999"),
            (48.999_99, &[49.0], "48.99999"),
            (49.0, &[49.0], "49"),
            (-0.001, &[], "0"),
            (299.996, &[300.0, 310.0], "299.996"),
        ] {
            assert_eq!(display(value, others), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_stays_on_its_side(value in 0.0..2000.0_f64, step in -0.01..0.01_f64) {
            let other = value + step;
            let shown = |one: f64, two: f64| display(one, &[two]).parse::<f64>().unwrap();
            prop_assert_eq!(shown(value, other).partial_cmp(&shown(other, value)), value.partial_cmp(&other));
            prop_assert_eq!(shown(value, other).partial_cmp(&other), value.partial_cmp(&other));
        }
    }
}
