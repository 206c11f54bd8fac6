//! What a schedule means although its author may think otherwise: other dialects of cron read the same text differently.

use std::time::Duration;

use super::cause::every;

/// How a schedule may be misread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misreading {
    /// Both days are limited, and either is enough.
    EitherDay,
    /// It is written as Quartz has it, which counts weekdays from another number.
    Quartz,
    /// The first field is `*`, so it runs each second of every time that the others name.
    EverySecond,
    /// A step is larger than its field, and so is never taken.
    StepBeyondField,
}

/// A schedule that means something else than in another dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caution {
    /// How the schedule may be misread.
    pub misreading: Misreading,
    /// What the schedule means here.
    pub what: String,
    /// What to write instead, if that is not intended.
    pub instead: String,
}

/// The weekdays by their numbers here.
const DAYS: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
/// The days of a month on which its first, second, third and fourth Tuesday lie.
const WEEKS: [&str; 4] = ["1-7", "8-14", "15-21", "22-28"];

/// What its author should know of an expression of six fields; `None`: every dialect reads it in this way.
#[must_use]
pub fn caution(expression: &str) -> Option<Caution> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [second, minute, hour, day, month, weekday] = fields[..] else { return None };
    let is_limited = |field: &str| !matches!(field, "*" | "?");
    if is_every_second(&fields) {
        let rest = fields.get(1..).unwrap_or_default().join(" ");
        return Some(Caution {
            misreading: Misreading::EverySecond,
            what: format!(
                "the first field is seconds, so `{expression}` runs every second of the times that the others name"
            ),
            instead: format!("write `0` first: `\"0 {rest}\"`"),
        });
    }
    if let Some(caution) = step_beyond_field(&fields) {
        return Some(caution);
    }
    let time = format!("{second} {minute} {hour}");
    if [day, weekday].contains(&"?") {
        let number = numbers(weekday).next();
        let here = number.and_then(|number| Some((number, *DAYS.get(number)?)));
        let meaning = here.map(|(number, name)| format!(", and weekday {number} is {name}")).unwrap_or_default();
        let day = if day == "?" { "*" } else { day };
        let weekday = if weekday == "?" { "*".to_owned() } else { of_quartz(weekday) };
        return Some(Caution {
            misreading: Misreading::Quartz,
            what: format!("`?` is Quartz notation; here it means `*`{meaning}"),
            instead: format!("write `{time} {day} {month} {weekday}` if you mean it as in Quartz"),
        });
    }
    if !is_limited(day) || !is_limited(weekday) || weekday.starts_with('+') {
        return None;
    }
    let nth = WEEKS.iter().position(|week| *week == day).filter(|_| weekday.chars().all(char::is_alphanumeric));
    let both = format!("`{time} {day} {month} +{weekday}` for days that are both");
    let ordinal = ["first", "second", "third", "fourth"];
    Some(Caution {
        misreading: Misreading::EitherDay,
        what: format!("day of month `{day}` and day of week `{weekday}` are both limited, and either one is enough"),
        instead: match nth {
            Some(index) => format!(
                "write `{time} * {month} {weekday}#{}` for the {} {weekday} of the month, or {both}",
                index + 1,
                ordinal[index]
            ),
            None => format!("write {both}"),
        },
    })
}

/// A part of a weekday's field: the day or days, and what follows them, such as `#2`.
fn days_of(part: &str) -> (&str, &str) {
    part.split_at(part.find(['#', '/', 'L']).unwrap_or(part.len()))
}

/// The weekdays that are written as numbers.
fn numbers(weekday: &str) -> impl Iterator<Item = usize> {
    weekday.split(',').flat_map(|part| days_of(part).0.split('-')).filter_map(|day| day.parse().ok())
}

/// What Quartz means by it, with names for its numbers: there, Sunday is 1.
fn of_quartz(weekday: &str) -> String {
    let name = |day: &str| {
        let index = day.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        index.and_then(|index| DAYS.get(index)).map_or_else(|| day.to_owned(), |name| (*name).to_owned())
    };
    let part = |part: &str| {
        let (days, more) = days_of(part);
        days.split('-').map(name).collect::<Vec<_>>().join("-") + more
    };
    weekday.split(',').map(part).collect::<Vec<_>>().join(",")
}

/// Whether the seconds are not limited, and another field is. With no field limited, it says what it does.
fn is_every_second(fields: &[&str]) -> bool {
    let is_open = |field: &str| matches!(field, "*" | "?" | "*/1");
    fields.first().is_some_and(|field| is_open(field)) && !fields.iter().all(|field| is_open(field))
}

/// The first field of a time that has a step larger than itself.
fn step_beyond_field(fields: &[&str]) -> Option<Caution> {
    // What a field counts, how many there are, in what, and the length of one in seconds.
    const STEPPED: [(&str, u64, &str, u64); 3] =
        [("second", 60, "minute", 1), ("minute", 60, "hour", 60), ("hour", 24, "day", 3_600)];
    fields.iter().zip(STEPPED).enumerate().find_map(|(index, (field, (unit, count, whole, seconds)))| {
        let step: u64 = field.strip_prefix("*/")?.parse().ok()?;
        // What comes round all day and every day says nothing of hours or days that are limited.
        let is_alone = fields.iter().skip(index + 1).all(|field| *field == "*");
        let interval = step.checked_mul(seconds).map(Duration::from_secs);
        let exact = interval.filter(|_| is_alone).and_then(every);
        (step > count).then(|| Caution {
            misreading: Misreading::StepBeyondField,
            what: format!("`{field}` is a step of more than the {count} {unit}s of one {whole}, so only {unit} 0 of each {whole} matches"),
            instead: match exact {
                Some(exact) => format!("write `\"{exact}\"`"),
                None => format!("write `0` for once in each {whole}, or a step that divides {count}"),
            },
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Schedule, Zone};

    #[test]
    fn what_another_dialect_reads_differently_is_said() {
        for (expression, said) in [
            (
                "0 0 22 8-14 * TUE",
                Some("write `0 0 22 * * TUE#2` for the second TUE of the month, or `0 0 22 8-14 * +TUE`"),
            ),
            ("0 0 22 13 * FRI", Some("write `0 0 22 13 * +FRI` for days that are both")),
            ("0 0 22 1-7 * MON-FRI", Some("write `0 0 22 1-7 * +MON-FRI` for days that are both")),
            ("0 0 22 ? * 3", Some("weekday 3 is WED; write `0 0 22 * * TUE`")),
            ("0 0 22 ? * 1", Some("weekday 1 is MON; write `0 0 22 * * SUN`")),
            ("0 0 22 15 * ?", Some("here it means `*`; write `0 0 22 15 * *`")),
            ("0 0 12 ? * 2-6", Some("weekday 2 is TUE; write `0 0 12 * * MON-FRI`")),
            ("0 0 12 ? * 2,4", Some("weekday 2 is TUE; write `0 0 12 * * MON,WED`")),
            ("0 0 12 ? * 3#2", Some("weekday 3 is WED; write `0 0 12 * * TUE#2`")),
            ("0 0 22 ? * TUE#2", Some("here it means `*`; write `0 0 22 * * TUE#2`")),
            ("* */15 * * * *", Some("write `0` first: `\"0 */15 * * * *\"`")),
            ("* 0 22 * * FRI", Some("write `0` first: `\"0 0 22 * * FRI\"`")),
            ("* * * * * *", None),
            (
                "0 */70 * * * *",
                Some("only minute 0 of each hour matches; write `0` for once in each hour, or a step that divides 60"),
            ),
            ("0 */120 * * * *", Some("write `\"0 0 */2 * * *\"`")),
            ("0 */120 8-17 * * *", Some("write `0` for once in each hour")),
            ("0 0 */48 * * *", Some("only hour 0 of each day matches")),
            ("0 */60 * * * *", None),
            ("0 0 */24 * * *", None),
            ("0 0 22 8-14 * +TUE", None),
            ("0 0 22 * * TUE#2", None),
            ("0 0 22 8-14 * *", None),
            ("0 */15 * * * *", None),
        ] {
            let found = caution(expression).map(|caution| format!("{}; {}", caution.what, caution.instead));
            assert_eq!(found.is_some(), said.is_some(), "{expression}: {found:?}");
            assert!(found.as_deref().unwrap_or_default().contains(said.unwrap_or_default()), "{expression}: {found:?}");
        }
    }

    #[test]
    fn what_is_proposed_is_a_schedule() {
        for expression in [
            "0 0 22 8-14 * TUE",
            "0 0 22 13 * FRI",
            "0 0 22 ? * 3",
            "0 0 22 ? * 1",
            "0 0 12 ? * 2-6",
            "0 0 12 ? * 3#2",
            "0 0 22 15 * ?",
        ] {
            let caution = caution(expression).unwrap();
            for (index, proposal) in caution.instead.split('`').enumerate().filter(|(index, _)| index % 2 == 1) {
                let read = Schedule::parse(proposal, Zone::default());
                assert!(read.is_ok(), "{expression}, part {index}: {read:?}");
            }
        }
    }
}
