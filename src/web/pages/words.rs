//! Times, numbers and changes as pages show them.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

pub(super) use crate::query::ids::shift_name;
use crate::{
    domain::{Better, FailureClass, ScoreKind, Severity, Timestamp},
    notify::language::Locale,
    rule::display,
    schedule::Zone,
};

/// By which clock times are shown, and what time it is.
#[derive(Debug, Clone)]
pub(super) struct Clockface {
    pub(super) zone: Zone,
    pub(super) now: Timestamp,
}

/// An instant as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Moment {
    /// The instant for the element `time`: RFC 3339, in UTC.
    iso: String,
    /// In the zone of the configuration, to the minute.
    full: String,
    /// How long ago, or in how long.
    ago: String,
}

/// Why a tenant can't be read, as a clause; a class of another version is its name.
pub(super) fn failure(class: &str) -> String {
    FailureClass::from_name(class).map_or_else(|| class.to_owned(), |class| class.words().to_owned())
}

impl Clockface {
    /// What messages say, in the pages' language and on their clock.
    pub(super) fn locale(&self) -> Locale {
        Locale { zone: self.zone.clone(), ..Locale::default() }
    }

    pub(super) fn moment(&self, at: Timestamp) -> Moment {
        Moment { iso: Timestamp::from_seconds(at.as_seconds()).to_string(), full: self.full(at), ago: self.ago(at) }
    }

    pub(super) fn optional(&self, at: Option<Timestamp>) -> Option<Moment> {
        at.map(|at| self.moment(at))
    }

    /// Day, time and zone: `2026-12-01 09:15 CET`.
    pub(super) fn full(&self, at: Timestamp) -> String {
        let clock = self.zone.clock_at(at);
        format!("{} {:02}:{:02} {}", clock.date(), clock.hour(), clock.minute(), self.zone.abbreviation_at(at))
    }

    /// `Tue 2026-12-01 09:15 CET`.
    pub(super) fn weekday(&self, at: Timestamp) -> String {
        format!("{} {}", self.zone.clock_at(at).strftime("%a"), self.full(at))
    }

    /// `just now`, `12 min ago`, `in 3 h`, `5 days ago`.
    fn ago(&self, at: Timestamp) -> String {
        let (distance, is_past) = if at <= self.now { (self.now.since(at), true) } else { (at.since(self.now), false) };
        if distance < Duration::from_secs(45) {
            return if is_past { "just now".to_owned() } else { "in a moment".to_owned() };
        }
        let length = length(distance);
        if is_past { format!("{length} ago") } else { format!("in {length}") }
    }
}

/// `12 min`, `2 h 30 min`, `13 h`, `5 days`: rounded, and nothing is rounded by much.
pub(super) fn length(duration: Duration) -> String {
    let minutes = (duration.as_secs() + 30) / 60;
    match minutes {
        0..=89 => format!("{} min", minutes.max(1)),
        90..=599 if !minutes.is_multiple_of(60) => format!("{} h {} min", minutes / 60, minutes % 60),
        90..=2_159 => format!("{} h", (minutes + 30) / 60),
        _ => format!("{} days", (minutes + 720) / 1_440),
    }
}

/// What people call a score.
pub(super) const fn score_name(kind: ScoreKind) -> &'static str {
    match kind {
        ScoreKind::DeviceSecureScore => "Device secure score",
        ScoreKind::ExposureScore => "Exposure score",
        ScoreKind::ExposureScoreByGroup => "Exposure by group",
        ScoreKind::SecureScore => "Secure score",
        ScoreKind::SecureScoreCategory => "Secure score by category",
    }
}

/// The same where there is little room.
pub(super) const fn short_name(kind: ScoreKind) -> &'static str {
    match kind {
        ScoreKind::DeviceSecureScore => "device",
        ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup => "exposure",
        ScoreKind::SecureScore | ScoreKind::SecureScoreCategory => "secure",
    }
}

/// A difference with its sign: `+1.5`, `−62`.
pub(super) fn signed(difference: f64) -> String {
    let text = display::number(difference.abs());
    match text.as_str() {
        "0" => text,
        _ if difference > 0.0 => format!("+{text}"),
        _ => format!("−{text}"),
    }
}

/// What its numbers are followed by.
pub(super) const fn unit(kind: ScoreKind) -> &'static str {
    match kind {
        ScoreKind::SecureScore | ScoreKind::SecureScoreCategory => "%",
        ScoreKind::DeviceSecureScore | ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup => "",
    }
}

/// A value with its unit: `548`, `41.5 %`.
pub(super) fn value(kind: ScoreKind, value: f64) -> String {
    format!("{}{}", display::number(value), unit(kind))
}

/// A change: which way it points, whether that is good, and how much. `None`: there is nothing to compare with.
pub(super) fn change(kind: ScoreKind, change: Option<f64>) -> Value {
    let Some(change) = change else { return Value::Null };
    let text = display::number(change.abs());
    let is_none = text == "0";
    let is_better = match kind.better() {
        Better::Higher => change > 0.0,
        Better::Lower => change < 0.0,
    };
    json!({
        "text": text,
        "arrow": if is_none { "" } else if change > 0.0 { "▴" } else { "▾" },
        "class": if is_none { "same" } else if is_better { "better" } else { "worse" },
        "said": if is_none { "unchanged" } else if is_better { "better by" } else { "worse by" },
    })
}

/// The text with a capital first letter.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// How a severity is shown.
pub(super) fn severity(severity: Severity) -> Value {
    let name = severity.as_str();
    json!({ "class": name, "name": name })
}

/// `1 tenant`, `2 tenants`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_says_how_long_ago_it_was() {
        let now = Timestamp::parse("2026-12-01T09:15:00Z").unwrap();
        let face = Clockface { zone: Zone::built_in("Europe/Berlin").unwrap(), now };
        for (seconds, said) in [
            (10, "just now"),
            (-10, "in a moment"),
            (60, "1 min ago"),
            (89 * 60, "89 min ago"),
            (90 * 60, "1 h 30 min ago"),
            (-7_199, "in 2 h"),
            (3 * 3_600, "3 h ago"),
            (11 * 3_600 + 1_740, "11 h ago"),
            (-3 * 3_600, "in 3 h"),
            (35 * 3_600, "35 h ago"),
            (3 * 86_400, "3 days ago"),
        ] {
            assert_eq!(face.ago(Timestamp::from_seconds(now.as_seconds() - seconds)), said);
        }
        assert_eq!(face.full(now), "2026-12-01 10:15 CET");
    }

    #[test]
    fn a_change_says_whether_it_is_good() {
        for (kind, by, class) in [
            (ScoreKind::DeviceSecureScore, -62.0, "worse"),
            (ScoreKind::DeviceSecureScore, 1.0, "better"),
            (ScoreKind::ExposureScore, 15.0, "worse"),
            (ScoreKind::ExposureScore, 0.001, "same"),
        ] {
            assert_eq!(change(kind, Some(by))["class"], class, "{kind} {by}");
        }
        assert_eq!(change(ScoreKind::ExposureScore, None), Value::Null);
    }
}
