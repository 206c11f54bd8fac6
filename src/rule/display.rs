//! Numbers for people. They are rounded here and nowhere else, and never so far that a message contradicts itself:
//! "49 is below 49" becomes "48.999 is below 49".

/// Digits after the point that are shown where they suffice.
const DECIMALS: usize = 2;
/// Enough to distinguish any two doubles of a score's size.
const DECIMALS_MAX: usize = 15;

/// One number with at most two decimals: `340`, `33.3`, `29.97`.
#[must_use]
pub fn number(value: f64) -> String {
    among(value, &[])
}

/// `value` with as few decimals (from two on, trailing zeros cut) as keep it on its side of each of the `others`.
#[must_use]
pub fn among(value: f64, others: &[f64]) -> String {
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
            assert_eq!(among(value, others), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_stays_on_its_side(value in 0.0..2000.0_f64, step in -0.01..0.01_f64) {
            let other = value + step;
            let shown = |one: f64, two: f64| among(one, &[two]).parse::<f64>().unwrap();
            prop_assert_eq!(shown(value, other).partial_cmp(&shown(other, value)), value.partial_cmp(&other));
            prop_assert_eq!(shown(value, other).partial_cmp(&other), value.partial_cmp(&other));
        }
    }
}
