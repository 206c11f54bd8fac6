//! Why an expression is not a schedule, and what its author probably meant: an interval, a nickname, a weekday in other words.

use std::time::Duration;

use chrono::{Datelike, NaiveDateTime, NaiveTime, Timelike};

use super::weekday;
use crate::domain::{Complaint, parse_duration, suggested_duration};

/// Longest expression, in bytes; every minute of an hour, written out, fits.
const EXPRESSION_BYTES_MAX: usize = 512;

const NICKNAMES: [(&str, &str); 7] = [
    ("yearly", "0 0 0 1 1 *"),
    ("annually", "0 0 0 1 1 *"),
    ("monthly", "0 0 0 1 * *"),
    ("weekly", "0 0 0 * * SUN"),
    ("daily", "0 0 0 * * *"),
    ("midnight", "0 0 0 * * *"),
    ("hourly", "0 0 * * * *"),
];

/// The fields in their order: what each is called, its last number, and what to write in it.
const FIELDS: [(&str, u32, &str); 6] = [
    ("second", 59, "0 to 59"),
    ("minute", 59, "0 to 59"),
    ("hour", 23, "0 to 23"),
    ("day of month", 31, "1 to 31, or `L` for the last"),
    ("month", 12, "1 to 12, or JAN to DEC"),
    ("day of week", 6, "SUN to SAT, or 0 to 6 from Sunday"),
];

/// Refuses what the parser would read in another sense or explain badly.
pub(super) fn check_shape(expression: &str) -> Result<(), Complaint> {
    if expression.len() > EXPRESSION_BYTES_MAX {
        return Err(Complaint::new(
            format!("a schedule may have at most {EXPRESSION_BYTES_MAX} characters"),
            "use ranges and steps",
        ));
    }
    let nickname = expression.trim_start_matches('@');
    let written = NICKNAMES.iter().find(|(known, _)| nickname.eq_ignore_ascii_case(known));
    if written.is_some() || expression.contains('@') {
        let instead = written.map_or("0 0 * * * *", |(_, instead)| instead);
        return Err(Complaint::new(
            format!("`{expression}` is a nickname, which is not supported"),
            format!("write `{instead}`"),
        ));
    }
    if let Some((zone, rest)) = expression.split_once(' ').filter(|(first, _)| first.contains("TZ=")) {
        let name = zone.split_once('=').map_or(zone, |(_, name)| name);
        return Err(Complaint::new(
            format!("`{zone}` does not belong into a schedule"),
            format!("write `{}`, and `timezone: {name}` beside it", rest.trim_start()),
        ));
    }
    let fields = expression.split_whitespace().count();
    let without_blanks = expression.replace(", ", ",");
    if fields > 6 && without_blanks.split_whitespace().count() <= 6 {
        let instead = format!("write `{without_blanks}`");
        return Err(Complaint::new(format!("`{expression}` has blanks in a list, which ends a field"), instead));
    }
    if let Some(exact) = (fields < 5).then(|| interval(expression)).flatten().and_then(every) {
        return Err(Complaint::new(
            format!("`{expression}` is an interval, not a schedule"),
            format!("write `\"{exact}\"`"),
        ));
    }
    if let Some((what, at)) = (fields < 5).then(|| moment(expression)).flatten() {
        return Err(Complaint::new(format!("`{expression}` is {what}, not a schedule"), format!("write `\"{at}\"`")));
    }
    match fields {
        6 => Ok(()),
        5 => Err(Complaint::new(
            format!("`{expression}` has five fields"),
            format!("put the seconds first: `0 {expression}`"),
        )),
        fields => {
            let noun = if fields == 1 { "field" } else { "fields" };
            Err(Complaint::new(
                format!("`{expression}` has {fields} {noun}"),
                "write six (second, minute, hour, day of month, month, day of week), like `0 */15 * * * *`",
            ))
        }
    }
}

/// What is wrong with an expression of six fields that the parser refuses: `reads` says whether it reads another one.
pub(super) fn of(expression: &str, reads: impl Fn(&str) -> bool) -> Complaint {
    let written: Vec<&str> = expression.split_whitespace().collect();
    let is_bad = |index: &usize| {
        let fields: Vec<&str> =
            written.iter().enumerate().map(|(other, field)| if other == *index { *field } else { "*" }).collect();
        !reads(&fields.join(" "))
    };
    let Some((index, (name, last, range))) =
        (0..FIELDS.len()).find(is_bad).and_then(|index| Some((index, FIELDS.get(index)?)))
    else {
        let instead = "write six fields, seconds first, like `0 */15 * * * *`";
        return Complaint::new(format!("`{expression}` is not a schedule"), instead);
    };
    let text = written.get(index).copied().unwrap_or_default();
    // In other dialects of cron, `5/15` goes on to the end.
    let open_range = text.split_once('/').filter(|(from, _)| from.parse::<u32>().is_ok());
    let turned = turned_round(text, index, *last);
    let instead = match open_range {
        None if turned.is_some() => turned,
        _ if text.ends_with("/0") => Some("write a step of 1 or more, like `*/5`".to_owned()),
        Some(("0", step)) => Some(format!("write `*/{step}`")),
        Some((from, step)) => Some(format!("write `{from}-{last}/{step}`")),
        None if index + 1 == FIELDS.len() => weekday::instead(&written, reads),
        None => None,
    };
    Complaint::new(format!("`{text}` can't be the {name}"), instead.unwrap_or_else(|| format!("write {range}")))
}

/// A range that begins after its end: both parts of it, `22-23,0-6` for `22-6`.
fn turned_round(text: &str, field: usize, last: u32) -> Option<String> {
    let (from, to) = text.split_once('-')?;
    let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
    // Days and months begin with one.
    let first = u32::from(matches!(field, 3 | 4));
    let range = |from: u32, to: u32| if from == to { from.to_string() } else { format!("{from}-{to}") };
    (from > to && from <= last && to >= first).then(|| format!("write `{},{}`", range(from, last), range(first, to)))
}

/// A time of day or a moment of one year: what it is, and the schedule that comes round then.
fn moment(text: &str) -> Option<(&'static str, String)> {
    if let Ok(time) = NaiveTime::parse_from_str(text, "%H:%M") {
        return Some(("a time of day", format!("0 {} {} * * *", time.minute(), time.hour())));
    }
    let text = text.replace('T', " ");
    let at = NaiveDateTime::parse_from_str(text.get(..16)?, "%Y-%m-%d %H:%M").ok()?;
    Some(("one moment", format!("0 {} {} {} {} *", at.minute(), at.hour(), at.day(), at.month())))
}

/// An interval as people write it: `15m`, `every 15 minutes`.
fn interval(text: &str) -> Option<Duration> {
    let text = text.to_lowercase();
    let text = text.strip_prefix("every ").unwrap_or(&text);
    // A number alone has no unit.
    if !text.contains(char::is_alphabetic) {
        return None;
    }
    parse_duration(text).ok().or_else(|| parse_duration(&suggested_duration(text)?).ok())
}

/// The schedule that comes round after exactly that time, again and again; `None`: there is none.
pub(super) fn every(interval: Duration) -> Option<String> {
    let seconds = interval.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let step = |count: u64| if count == 1 { "*".to_owned() } else { format!("*/{count}") };
    match () {
        () if interval.subsec_nanos() > 0 || seconds == 0 => None,
        () if seconds < 60 => 60_u64.is_multiple_of(seconds).then(|| format!("{} * * * * *", step(seconds))),
        () if !seconds.is_multiple_of(60) => None,
        () if minutes < 60 => 60_u64.is_multiple_of(minutes).then(|| format!("0 {} * * * *", step(minutes))),
        () if !minutes.is_multiple_of(60) => None,
        () if hours < 24 => 24_u64.is_multiple_of(hours).then(|| format!("0 0 {} * * *", step(hours))),
        () if hours == 24 => Some("0 0 0 * * *".to_owned()),
        () if hours == 7 * 24 => Some("0 0 0 * * MON".to_owned()),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Schedule, Zone};

    #[test]
    fn an_interval_has_a_schedule_where_there_is_an_exact_one() {
        for (text, exact) in [
            ("15m", Some("0 */15 * * * *")),
            ("30m", Some("0 */30 * * * *")),
            ("every 15 minutes", Some("0 */15 * * * *")),
            ("1 hour", Some("0 0 * * * *")),
            ("60m", Some("0 0 * * * *")),
            ("2h", Some("0 0 */2 * * *")),
            ("1d", Some("0 0 0 * * *")),
            ("24h", Some("0 0 0 * * *")),
            ("7d", Some("0 0 0 * * MON")),
            ("20s", Some("*/20 * * * * *")),
            ("1s", Some("* * * * * *")),
            ("45m", None),
            ("90m", None),
            ("5h", None),
            ("2d", None),
            ("500ms", None),
            ("15", None),
            ("often", None),
        ] {
            let found = interval(text).and_then(every);
            assert_eq!(found.as_deref(), exact, "{text}");
            assert!(found.is_none_or(|found| Schedule::parse(&found, Zone::utc()).is_ok()), "{text}");
        }
    }
}
