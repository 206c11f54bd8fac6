//! Weekdays in the words of other languages and crons: `MO`, `Tues`, `Montag`, `lun`.

/// What people write, in capitals, and the weekdays that they mean by it.
const WORDS: &[(&str, &[&str])] = &[
    ("MON", &["MO", "MONDAY", "MONTAG", "LU", "LUN", "LUNDI"]),
    ("TUE", &["TU", "TUES", "TUESDAY", "DI", "DIE", "DIENSTAG", "MA", "MAR", "MARDI"]),
    ("WED", &["WE", "WEDNESDAY", "MI", "MIT", "MITTWOCH", "ME", "MER", "MERCREDI"]),
    ("THU", &["TH", "THUR", "THURS", "THURSDAY", "DO", "DON", "DONNERSTAG", "JE", "JEU", "JEUDI"]),
    ("FRI", &["FR", "FRIDAY", "FRE", "FREITAG", "VE", "VEN", "VENDREDI"]),
    ("SAT", &["SA", "SATURDAY", "SAM", "SAMSTAG", "SAMEDI"]),
    ("SUN", &["SU", "SUNDAY", "SO", "SON", "SONNTAG", "DI", "DIM", "DIMANCHE"]),
];

/// What to write instead of a schedule whose last field has weekdays in other words; `None`: that is not known.
pub(super) fn instead(fields: &[&str], reads: impl Fn(&str) -> bool) -> Option<String> {
    let (weekday, others) = fields.split_last()?;
    if let Some((_, number)) = weekday.split_once('#').filter(|(day, _)| days(day.trim_start_matches('+')).is_some()) {
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !number.is_empty() && !(1..=5).contains(&number.parse().unwrap_or(0)) {
            return Some("write `#1` to `#5`: no weekday comes six times in a month".to_owned());
        }
    }
    let meant = in_words(weekday)?;
    let proposals: Vec<String> = meant.iter().map(|weekday| format!("{} {weekday}", others.join(" "))).collect();
    let all_read = proposals.iter().all(|proposal| reads(proposal));
    let quoted: Vec<String> = proposals.iter().map(|proposal| format!("`\"{proposal}\"`")).collect();
    all_read.then(|| format!("write {}", quoted.join(" or ")))
}

/// The field with weekdays as they are written here; several where a word means several.
fn in_words(field: &str) -> Option<Vec<String>> {
    let mut meant = vec![String::new()];
    let mut rest = field;
    while let Some(letter) = rest.chars().next() {
        let is_letter = letter.is_alphabetic();
        let end = rest.find(|next: char| next.is_alphabetic() != is_letter).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        let days = if is_letter { days(part)? } else { vec![part] };
        meant = days.iter().flat_map(|day| meant.iter().map(move |begin| format!("{begin}{day}"))).collect();
        rest = after;
        if meant.len() > 2 {
            return None;
        }
    }
    Some(meant)
}

fn days(word: &str) -> Option<Vec<&'static str>> {
    let word = word.to_uppercase();
    let is_meant = |(day, words): &&(&str, &[&str])| *day == word || words.contains(&word.as_str());
    let days: Vec<&str> = WORDS.iter().filter(is_meant).map(|(day, _)| *day).collect();
    (!days.is_empty()).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_are_found_in_three_languages() {
        for (field, meant) in [
            ("MO", Some(&["MON"][..])),
            ("Mo-Fr", Some(&["MON-FRI"])),
            ("Montag", Some(&["MON"])),
            ("lun,mer", Some(&["MON,WED"])),
            ("Tues#2", Some(&["TUE#2"])),
            ("+SAM", Some(&["+SAT"])),
            // German for Tuesday, French for Sunday.
            ("DI", Some(&["TUE", "SUN"])),
            ("DI,DI", None),
            ("XY", None),
            ("ÄÖ", None),
        ] {
            let found = in_words(field);
            assert_eq!(
                found.as_deref(),
                meant.map(|meant| meant.iter().map(|day| (*day).to_owned()).collect::<Vec<_>>()).as_deref(),
                "{field}"
            );
        }
    }
}
