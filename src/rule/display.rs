//! Numbers for people. They are rounded here and nowhere else, and never so far that a sentence contradicts itself:
//! "49 is below 49" becomes "48.999 is below 49".

/// Fraction digits of a number that is compared with nothing.
const FRACTION_DIGITS: usize = 2;
/// From here on the shortest text that tells a double from every other is used.
const FRACTION_DIGITS_MAX: usize = 17;

/// One number with at most two fraction digits: `340`, `33.3`, `29.97`.
#[must_use]
pub fn number(value: f64) -> String {
    rounded(value, FRACTION_DIGITS)
}

/// Two numbers that a message compares, with as many fraction digits as show them to be different where they are.
/// Rounding never turns two numbers round, so what is printed relates as the numbers do.
#[must_use]
pub fn compared(value: f64, bound: f64) -> (String, String) {
    let equal = matches!(value.partial_cmp(&bound), Some(std::cmp::Ordering::Equal));
    for digits in FRACTION_DIGITS..=FRACTION_DIGITS_MAX {
        let printed = (rounded(value, digits), rounded(bound, digits));
        if equal || printed.0 != printed.1 {
            return printed;
        }
    }
    (value.to_string(), bound.to_string())
}

/// An amount and the size it is measured by, for a message that says whether the one reached the other. Where it did by a tie
/// of binary floating point (see [`loss`](super::loss)), both are printed alike.
#[must_use]
pub fn measured(amount: f64, size: f64, is_reached: bool) -> (String, String) {
    compared(if is_reached { amount.max(size) } else { amount }, size)
}

fn rounded(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_never_contradicts_itself() {
        for (value, bound, printed) in [
            (48.999, 49.0, ("48.999", "49")),
            (48.9, 49.0, ("48.9", "49")),
            (49.0, 49.0, ("49", "49")),
            (49.0 - 1e-14, 49.0, ("48.99999999999999", "49")),
            (-0.001, 0.0, ("-0.001", "0")),
            (1e-300, 0.0, (format!("{}", 1e-300).as_str(), "0")),
        ] {
            let (value, bound) = compared(value, bound);
            assert_eq!((value.as_str(), bound.as_str()), printed);
        }
    }

    #[test]
    fn a_tie_is_printed_as_one() {
        let loss = 33.3 - 29.97;
        assert!(loss < 3.33, "the premise: binary falls short");
        assert_eq!(measured(loss, 3.33, true), ("3.33".to_owned(), "3.33".to_owned()));
        assert_eq!(measured(9.996, 10.0, false), ("9.996".to_owned(), "10".to_owned()));
    }

    #[test]
    fn numbers_have_at_most_two_fraction_digits() {
        for (value, printed) in [(340.0, "340"), (33.3, "33.3"), (29.967, "29.97"), (-0.001, "0"), (100.0, "100")] {
            assert_eq!(number(value), printed);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_relates_as_the_numbers_do(value in -1e6..1e6f64, bound in -1e6..1e6f64, nudge in -4i32..4) {
            let near = bound + f64::from(nudge) * bound.abs() * f64::EPSILON;
            for (value, bound) in [(value, bound), (near, bound)] {
                let (left, right) = compared(value, bound);
                let (left, right): (f64, f64) = (left.parse().unwrap(), right.parse().unwrap());
                prop_assert_eq!(left.partial_cmp(&right), value.partial_cmp(&bound));
            }
        }
    }
}
