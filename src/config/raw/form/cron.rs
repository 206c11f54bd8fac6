//! The pattern of a schedule, for editors: six fields, each with what may stand in it. What is right as a text alone is marked
//! nowhere: whether a range runs backward, and whether its days exist, are left to `scorewatch check`.

/// Numbers below sixty, with as many zeros before them as people write.
const SIXTY: &str = "0*[1-5]?[0-9]";
const HOUR: &str = "0*(1?[0-9]|2[0-3])";
const DAY: &str = "0*([1-9]|[12][0-9]|3[01])";
const MONTH: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAY: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The pattern of an expression.
pub(super) fn pattern() -> String {
    let month = format!("(0*([1-9]|1[0-2])|{})", in_any_case(&MONTH));
    let weekday = format!("(0*[0-7]|{})", in_any_case(&WEEKDAY));
    let fields = [
        list(&item(SIXTY, "")),
        list(&item(SIXTY, "")),
        list(&item(HOUR, "")),
        list(&format!("({}|[Ll][Ww]?|{DAY}[Ww])", item(DAY, "?"))),
        list(&item(&month, "")),
        format!(
            "[+]?{}",
            list(&format!("({}|[Ll]|{weekday}(-{weekday})?#[1-5Ll]|{weekday}[Ll])", item(&weekday, "?")))
        ),
    ];
    format!("^[ \\t]*{}[ \\t]*$", fields.join("[ \\t]+"))
}

/// Everything, one value, or a range; the first and the last with a step. `others`: what else may stand for everything.
fn item(value: &str, others: &str) -> String {
    let step = "(/0*[1-9][0-9]*)?";
    format!("([*{others}]{step}|{value}(-{value}{step})?)")
}

/// Several of them, with commas; more commas than it needs are read over.
fn list(item: &str) -> String {
    format!("{item}(,+{item})*")
}

/// One of these words, in capitals or not.
fn in_any_case(words: &[&str]) -> String {
    let letter = |letter: char| format!("[{}{letter}]", letter.to_ascii_uppercase());
    let words: Vec<String> = words.iter().map(|word| word.chars().map(letter).collect()).collect();
    words.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Schedule, Zone};

    #[test]
    fn whatever_is_a_schedule_has_the_pattern_and_most_of_what_is_none_has_not() {
        let pattern = regex_lite::Regex::new(&pattern()).unwrap();
        let reads = |text: &str| Schedule::parse(text, Zone::utc()).is_ok();
        for text in [
            "0 */15 * * * *",
            " 0\t*/15 * * * * ",
            "0,30 0,59 8,9 29 2 *",
            "00 00 08 01 01 *",
            "0 0 8 * * MON-FRI",
            "0 0 8 * jan-Mar mon,WED",
            "0 0 8 L * ?",
            "0 0 8 ? * 1",
            "0 0 8 15W * *",
            "0 0 8 LW * *",
            "0 0 8 * * MON-FRI#1",
            "0 0 8 8-14 * +TUE",
            "0 0 22 * * TUE#2",
            "0 0 22 * * FRI#L",
            "0 0 22 * * 5L",
            "* * * * * *",
            "0 */70 * * * *",
            "0 0-30/5 8-18/2 1-15/3 */2 *",
            "0 0 0 31 * 7",
            "0 0,,30 * * * *",
        ] {
            assert!(reads(text) && pattern.is_match(text), "{text}: reads: {}", reads(text));
        }
        for text in [
            "0 60 * * * *",
            "0 0 24 * * *",
            "0 0 25 * * *",
            "0 0 8 32 * *",
            "0 0 8 0 * *",
            "0 0 8 * 13 *",
            "0 0 8 * * 8",
            "0 0 8 * * MO",
            "0 0 8 * * Mo-Fr",
            "0 0 8 * * Di",
            "0 0/15 * * * *",
            "0 */0 * * * *",
            "*/15 * * * *",
            "0 0 8 * * * *",
            "@hourly",
            "“0 */15 * * * *”",
            "hourly",
            "15m",
            "",
        ] {
            assert!(!reads(text) && !pattern.is_match(text), "{text}: reads: {}", reads(text));
        }
    }
}
