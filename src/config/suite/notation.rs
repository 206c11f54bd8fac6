//! Readings as words: `400 340x8 _ ~2h 360+5x4 08:30 400`.
//!
//! Each word is one check, or several: a value, `340x8` eight of it, `360+5x4` four of which each is 5 more than the one before,
//! `_` a check that fails, `~` no check at all, `~2h` none for that long. `08:30` and `2026-01-05T08:30:00Z` say when the next
//! word is.

use std::time::Duration;

use jiff::civil::{DateTime, Time};

use crate::{
    domain::{Complaint, Timestamp, parse_duration},
    schedule::Zone,
};

/// Most checks of one series: almost three years of quarters of an hour.
const CHECKS_MAX: usize = 100_000;

/// A check, and its value if it did not fail.
pub(super) type Check = (Timestamp, Option<f64>);

/// When words begin, how far apart they are, and whose clock their times are of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar<'a> {
    pub(super) start: Timestamp,
    pub(super) every: Duration,
    pub(super) zone: &'a Zone,
}

/// What a text says, and when the check after its last word would be.
///
/// # Errors
/// One sentence that says which word is wrong, and what to write.
pub(super) fn read(text: &str, calendar: Calendar<'_>) -> Result<(Vec<Check>, Timestamp), Complaint> {
    let mut checks: Vec<Check> = Vec::new();
    let mut at = calendar.start;
    for word in text.split_whitespace() {
        match word_of(word)? {
            Word::Values { first, step, count } => {
                let count = bounded(word, count, checks.len())?;
                for index in 0..count {
                    #[expect(clippy::cast_precision_loss, reason = "a count of checks is small")]
                    let value = first + step * index as f64;
                    if value < 0.0 {
                        return Err(Complaint::new(
                            format!("`{word}` goes below zero, which no score does"),
                            "write fewer or smaller steps",
                        ));
                    }
                    checks.push((at, Some(value)));
                    at = at.plus(calendar.every);
                }
            }
            Word::Failed(count) => {
                for _ in 0..bounded(word, count, checks.len())? {
                    checks.push((at, None));
                    at = at.plus(calendar.every);
                }
            }
            Word::Skipped(count) => {
                let count = u32::try_from(bounded(word, count, 0)?).unwrap_or(u32::MAX);
                at = at.plus(calendar.every.saturating_mul(count));
            }
            Word::Gap(gap) => at = at.plus(gap),
            Word::Clock(clock) => at = next(clock, at, calendar.zone).ok_or_else(|| no_time(word))?,
            Word::Time(time) if time < at => {
                return Err(Complaint::new(
                    format!("`{word}` lies before the word in front of it, which ends at {at}"),
                    "put words in order",
                ));
            }
            Word::Time(time) => at = time,
        }
    }
    Ok((checks, at))
}

/// A time as tests write it: an offset from the start, a time of the start's day or the next, or an instant.
///
/// # Errors
/// One sentence.
pub(super) fn time(text: &str, calendar: Calendar<'_>) -> Result<Timestamp, Complaint> {
    if let Some(clock) = clock(text) {
        return next(clock, calendar.start, calendar.zone).ok_or_else(|| no_time(text));
    }
    if let Some(local) = text.strip_suffix('Z').is_none().then(|| local(text, calendar.zone)).flatten() {
        return Ok(local);
    }
    if let Some(time) = Timestamp::parse(text) {
        return Ok(time);
    }
    let offset = parse_duration(text);
    offset.map(|offset| calendar.start.plus(offset)).map_err(|_| {
        Complaint::new(
            format!("`{text}` is not a time"),
            "write `2h15m` after the start, `08:30`, or `2026-01-05 08:30`",
        )
    })
}

enum Word {
    Values { first: f64, step: f64, count: usize },
    Failed(usize),
    Skipped(usize),
    Gap(Duration),
    Clock(Time),
    Time(Timestamp),
}

fn word_of(word: &str) -> Result<Word, Complaint> {
    let malformed = || {
        Complaint::new(
            format!("`{word}` is not a reading"),
            "write words like `400`, `340x8`, `360+5x4`, `_` (a failed check), `~2h` (no check), `08:30`",
        )
    };
    if let Some(clock) = clock(word) {
        return Ok(Word::Clock(clock));
    }
    if word.contains('T') {
        return Timestamp::parse(word).map(Word::Time).ok_or_else(malformed);
    }
    let (head, count) = match word.split_once('x') {
        Some((head, count)) => (head, count.parse().ok().filter(|count| *count > 0).ok_or_else(malformed)?),
        None => (word, 1),
    };
    match head {
        "_" => return Ok(Word::Failed(count)),
        "~" => return Ok(Word::Skipped(count)),
        _ => {}
    }
    if let Some(gap) = word.strip_prefix('~') {
        return parse_duration(gap).map(Word::Gap).map_err(|_| malformed());
    }
    let (first, step) = match head.find(['+', '-']) {
        Some(sign) => {
            let step = number(&head[sign + 1..]).ok_or_else(malformed)?;
            (&head[..sign], if head[sign..].starts_with('-') { -step } else { step })
        }
        None => (head, 0.0),
    };
    Ok(Word::Values { first: number(first).ok_or_else(malformed)?, step, count })
}

/// Plain decimals only: Rust would also read `inf` and `1e308`.
fn number(text: &str) -> Option<f64> {
    let is_plain = text.len() <= 32 && text.bytes().all(|letter| letter.is_ascii_digit() || letter == b'.');
    text.parse::<f64>().ok().filter(|number| is_plain && number.is_finite())
}

fn bounded(word: &str, count: usize, before: usize) -> Result<usize, Complaint> {
    if before.saturating_add(count) > CHECKS_MAX {
        return Err(Complaint::new(
            format!("`{word}` makes more than {CHECKS_MAX} checks"),
            "write fewer, or a longer `every`",
        ));
    }
    Ok(count)
}

fn clock(word: &str) -> Option<Time> {
    let (hour, minute) = word.split_once(':')?;
    let number = |text: &str| {
        text.parse().ok().filter(|_| text.len() == 2 && text.starts_with(|one: char| one.is_ascii_digit()))
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

fn local(text: &str, zone: &Zone) -> Option<Timestamp> {
    shown(zone, DateTime::strptime("%Y-%m-%d %H:%M", text).ok()?)
}

/// The first time at or after `from` at which clocks of the zone show that.
fn next(clock: Time, from: Timestamp, zone: &Zone) -> Option<Timestamp> {
    let days = zone.clock_at(from).date().series(jiff::Span::new().days(1)).take(3);
    days.filter_map(|day| shown(zone, day.to_datetime(clock))).find(|time| *time >= from)
}

/// The first instant at which clocks of the zone show this; `None`: they leave it out.
fn shown(zone: &Zone, time: DateTime) -> Option<Timestamp> {
    zone.instant_of(time).filter(|at| zone.clock_at(*at) == time)
}

fn no_time(word: &str) -> Complaint {
    Complaint::new(format!("clocks never show `{word}` here"), "write another time")
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    fn calendar() -> Calendar<'static> {
        static BERLIN: LazyLock<Zone> = LazyLock::new(|| "Europe/Berlin".parse().unwrap());
        let start = Timestamp::parse("2026-01-05T00:00:00Z").unwrap();
        Calendar { start, every: Duration::from_mins(15), zone: &BERLIN }
    }

    /// As minutes from the start and values; `-` failed.
    fn shown(text: &str) -> Result<String, String> {
        let (checks, end) = read(text, calendar()).map_err(|complaint| complaint.to_string())?;
        let minutes = |at: Timestamp| at.since(calendar().start).as_secs() / 60;
        let check = |(at, value): &Check| {
            format!("{}:{}", minutes(*at), value.map_or("-".to_owned(), |value| value.to_string()))
        };
        let checks: Vec<_> = checks.iter().map(check).collect();
        Ok(format!("{} end {}", checks.join(" "), minutes(end)))
    }

    #[test]
    fn words_are_checks() {
        for (text, suggested) in [
            ("", " end 0"),
            ("400", "0:400 end 15"),
            (" 400\n340.5x3 ", "0:400 15:340.5 30:340.5 45:340.5 end 60"),
            ("360+5x4", "0:360 15:365 30:370 45:375 end 60"),
            ("10-2.5x3", "0:10 15:7.5 30:5 end 45"),
            ("1 _ 2 _x2", "0:1 15:- 30:2 45:- 60:- end 75"),
            ("1 ~ 2 ~x2 3", "0:1 30:2 75:3 end 90"),
            ("1 ~2h 2", "0:1 135:2 end 150"),
            // Berlin is an hour ahead.
            ("1 08:30 2 00:15 3", "0:1 450:2 1395:3 end 1410"),
            ("1 2026-01-05T06:00:00Z 2", "0:1 360:2 end 375"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(suggested), "{text}");
        }
    }

    #[test]
    fn a_wrong_type_is_reported_with_what_to_write() {
        for (text, reported) in [
            ("400 abc", "`abc` is not a reading; write words like"),
            ("inf", "not a reading"),
            ("1e9", "not a reading"),
            ("-5", "not a reading"),
            ("5x0", "not a reading"),
            ("5x", "not a reading"),
            ("5x-1", "not a reading"),
            ("5+x3", "not a reading"),
            ("~2y", "not a reading"),
            ("__", "not a reading"),
            ("10-5x4", "goes below zero"),
            ("1x100001", "more than 100000 checks"),
            ("_x99999999999999999999", "not a reading"),
            ("1x99999 2x2", "more than 100000 checks"),
            ("1 2026-01-04T00:00:00Z 2", "lies before"),
            ("99T", "not a reading"),
            ("25:00", "not a reading"),
        ] {
            let error = shown(text).unwrap_err();
            assert!(error.contains(reported) && error.contains("; "), "{text}: {error}");
        }
    }

    #[test]
    fn times_are_read_in_every_form() {
        let berlin = |text: &str| time(text, calendar()).map(|at| at.to_string());
        for (text, suggested) in [
            ("2h15m", "2026-01-05T02:15:00Z"),
            ("0s", "2026-01-05T00:00:00Z"),
            ("08:30", "2026-01-05T07:30:00Z"),
            ("00:30", "2026-01-05T23:30:00Z"),
            ("2026-03-29 03:30", "2026-03-29T01:30:00Z"),
            ("2026-01-05T08:30:00Z", "2026-01-05T08:30:00Z"),
            ("2026-01-05T08:30:00+02:00", "2026-01-05T06:30:00Z"),
        ] {
            assert_eq!(berlin(text).as_deref(), Ok(suggested), "{text}");
        }
        for bad in ["", "soon", "8:30", "2026-01-05", "-1h"] {
            assert!(berlin(bad).unwrap_err().instead.starts_with("write"), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_grow_without_end(text in "[0-9_~x+:. TZhmd-]{0,60}|\\PC{0,40}") {
            if let Ok((checks, _)) = read(&text, calendar()) {
                prop_assert!(checks.len() <= CHECKS_MAX);
                prop_assert!(checks.is_sorted_by(|one, other| one.0 < other.0));
            }
            let _ = time(&text, calendar());
        }
    }
}
