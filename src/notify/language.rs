//! What messages say, in each language. A language is one folder; a text that it lacks does not compile.
//!
//! Notifications are kept as values and put into words when they are written for a channel, in its language and time zone. What
//! is kept in English as well, such as an alert's reason, has its value beside it; [`in_words`] writes it anew.

pub(crate) mod alert;
mod de;
mod en;
mod fr;
mod in_words;
pub(crate) mod line;
pub(crate) mod operator;
pub(crate) mod reason;
pub(crate) mod shift;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::civil::{Date, DateTime};

use self::{alert::AlertWords, line::LineWords, operator::OperatorWords, reason::ReasonWords, shift::ShiftWords};
use crate::{
    domain::{Language, ScoreKind, Severity, Timestamp, Unit},
    rule::{Condition, display},
    schedule::Zone,
};

pub use in_words::{failure, in_words, remark};

/// In which language a channel is written to, and which clock the times in its messages follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    /// The language of its messages.
    pub language: Language,
    /// The time zone of the times in them.
    pub zone: Zone,
}

impl Default for Locale {
    /// English and universal time, in which everything is kept.
    fn default() -> Self {
        Self { language: Language::En, zone: Zone::utc() }
    }
}

impl Locale {
    /// The texts of the language.
    pub(crate) const fn words(&self) -> &'static Words {
        Words::of(self.language)
    }

    /// An instant for people, on the clock of the zone: `2026-11-24 09:15 UTC`.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        let words = self.words();
        (words.time)(self.zone.clock_at(at), (words.zone)(&self.zone.abbreviation_at(at)))
    }
}

/// The texts of one language.
pub(crate) struct Words {
    /// The language's code, for `lang` of a mail.
    pub(crate) code: &'static str,
    /// Separates the fraction of a number.
    decimal: &'static str,
    /// Stands between a number and `%`.
    before_percent: &'static str,
    /// Stands before a colon.
    pub(crate) before_colon: &'static str,
    /// Whether a number, unsigned and with a decimal point, goes with a noun's first form.
    is_one: fn(&str) -> bool,
    time: fn(DateTime, &str) -> String,
    day: fn(Date) -> String,
    /// What a zone's abbreviation is in this language: `CET` is `MEZ`.
    zone: fn(&str) -> &str,
    /// Day, hour and minute.
    units: [Plural; 3],
    /// The same as they follow a preposition such as "after".
    units_after_preposition: [Plural; 3],
    less_than_a_minute: [&'static str; 2],
    /// Of a score in that unit.
    condition: fn(&Condition, &Self, Option<Unit>) -> String,
    pub(crate) severity: fn(Severity) -> &'static str,
    /// What a score is called, of which of several values.
    pub(crate) score: fn(ScoreKind, Option<&str>) -> String,
    /// The same for a headline that has no room for that.
    pub(crate) short_score: fn(ScoreKind, Option<&str>) -> String,
    /// Whether a sentence after a colon begins with a capital.
    is_capital_after_colon: bool,
    pub(crate) scores: Plural,
    pub(crate) all_scores: &'static str,
    pub(crate) points: Plural,
    pub(crate) percentage_points: Plural,
    pub(crate) alerts: Plural,
    pub(crate) tenants: Plural,
    pub(crate) messages: Plural,
    pub(crate) alert: AlertWords,
    pub(crate) line: LineWords,
    pub(crate) shift: ShiftWords,
    pub(crate) reason: ReasonWords,
    pub(crate) operator: OperatorWords,
}

/// A noun in the forms that go with numbers.
#[derive(Clone, Copy)]
pub(crate) struct Plural {
    pub(crate) one: &'static str,
    pub(crate) other: &'static str,
}

/// A noun, in the order of its fields.
const fn noun(one: &'static str, other: &'static str) -> Plural {
    Plural { one, other }
}

/// Where a duration stands in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The only message of its delivery.
    Alone,
    /// After a preposition such as "after".
    AfterPreposition,
}

impl Words {
    /// Those of a language.
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &en::WORDS,
            Language::De => &de::WORDS,
            Language::Fr => &fr::WORDS,
        }
    }

    /// A number as the language writes it, given with a decimal point.
    pub(crate) fn decimals(&self, number: &str) -> String {
        number.replace('.', self.decimal)
    }

    /// A number with at most two decimals.
    pub(crate) fn number(&self, value: f64) -> String {
        self.decimals(&display::number(value))
    }

    /// The number, given with a decimal point, as a percentage.
    pub(crate) fn percent(&self, number: &str) -> String {
        format!("{}{}%", self.decimals(number), self.before_percent)
    }

    /// The number, given unsigned and with a decimal point, and its noun: `1 point`, `1.5 points`.
    pub(crate) fn with_noun(&self, number: &str, noun: Plural) -> String {
        let form = if (self.is_one)(number) { noun.one } else { noun.other };
        format!("{} {form}", self.decimals(number))
    }

    /// Points of a score, without their sign.
    pub(crate) fn worth(&self, points: f64) -> String {
        self.with_noun(&display::number(points.abs()), self.points)
    }

    /// `1 alert`, `2 alerts`.
    pub(crate) fn counted(&self, count: usize, noun: Plural) -> String {
        self.with_noun(&count.to_string(), noun)
    }

    /// A sentence as it is written after a colon. It must begin with no name.
    pub(crate) fn after_colon(&self, sentence: &str) -> String {
        let mut letters = sentence.chars();
        if self.is_capital_after_colon {
            return sentence.to_owned();
        }
        letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
    }

    /// A name, a colon, and what it is.
    pub(crate) fn labelled(&self, name: &str, value: &str) -> String {
        format!("{name}{}: {value}", self.before_colon)
    }

    /// A day of Microsoft's, which begins at midnight UTC.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        (self.day)(Zone::utc().clock_at(at).date())
    }

    /// A duration for people, in its two largest units: `2 days 3 hours`.
    pub(crate) fn duration(&self, lasted: Duration, place: Place) -> String {
        self.in_units(lasted, place, 2)
    }

    /// A duration for a headline, in its largest unit: `2 days`.
    pub(crate) fn briefly(&self, lasted: Duration, place: Place) -> String {
        self.in_units(lasted, place, 1)
    }

    fn in_units(&self, lasted: Duration, place: Place, units_max: usize) -> String {
        let (units, less) = match place {
            Place::Alone => (&self.units, self.less_than_a_minute[0]),
            Place::AfterPreposition => (&self.units_after_preposition, self.less_than_a_minute[1]),
        };
        let mut seconds = lasted.as_secs();
        let mut words = Vec::new();
        for (unit, size) in units.iter().zip([86_400, 3_600, 60]) {
            let count = seconds / size;
            seconds %= size;
            if count > 0 {
                words.push(self.with_noun(&count.to_string(), *unit));
            }
        }
        words.truncate(units_max);
        if words.is_empty() { less.to_owned() } else { words.join(" ") }
    }

    /// A condition on a score in that unit, given as notifications keep it: `drop 5% within 24h`. What can't be read stays as it is.
    pub(crate) fn condition(&self, written: &str, unit: Option<Unit>) -> String {
        Condition::from_words(written).map_or_else(|| written.to_owned(), |read| (self.condition)(&read, self, unit))
    }

    /// A bound, in its score's unit where that has a sign.
    fn bound(&self, bound: f64, unit: Option<Unit>) -> String {
        let bound = bound.to_string();
        if unit == Some(Unit::Percent) { self.percent(&bound) } else { self.decimals(&bound) }
    }
}

/// A text that begins with a capital.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
