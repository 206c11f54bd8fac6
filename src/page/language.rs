//! What a report says, in each language. A language is one file; a text that it lacks does not compile.

mod de;
mod en;
mod fr;

use crate::{
    domain::{FailureClass, Language, ScoreKind, Severity},
    notify::reason::{CauseKind, ChangedBy},
};

/// The texts of one language.
pub(super) struct Words {
    /// The language's code, for the page's `lang`.
    pub(super) code: &'static str,
    /// Separates the fraction of a number.
    pub(super) decimal: &'static str,
    /// A colon, with what stands before it.
    pub(super) colon: &'static str,
    /// Stands between a number and `%`.
    pub(super) before_percent: &'static str,
    /// The months, from January.
    pub(super) months: [&'static str; 12],
    pub(super) title: &'static str,
    pub(super) tenant_id: &'static str,
    pub(super) month_goes_on: &'static str,
    pub(super) scores: &'static str,
    pub(super) no_scores: &'static str,
    pub(super) higher_is_better: &'static str,
    pub(super) lower_is_better: &'static str,
    pub(super) unchanged: &'static str,
    pub(super) better: &'static str,
    pub(super) worse: &'static str,
    pub(super) lowest: &'static str,
    pub(super) highest: &'static str,
    /// Which values are drawn.
    pub(super) each_day: &'static str,
    pub(super) since_first_value: &'static str,
    pub(super) changes: &'static str,
    pub(super) lost: &'static str,
    pub(super) gained: &'static str,
    pub(super) nothing_lost: &'static str,
    pub(super) nothing_gained: &'static str,
    pub(super) changes_not_asked: &'static str,
    pub(super) changes_no_record: &'static str,
    pub(super) alerts: &'static str,
    pub(super) no_alerts: &'static str,
    pub(super) whole_tenant: &'static str,
    pub(super) acknowledged: &'static str,
    pub(super) actions: &'static str,
    pub(super) no_actions: &'static str,
    pub(super) points: Plural,
    pub(super) percentage_points: Plural,
    /// How many more there are than the page lists.
    pub(super) more: fn(usize) -> String,
    pub(super) since: fn(&str) -> String,
    pub(super) made_at: fn(&str) -> String,
    /// How many controls do not count, until which day.
    pub(super) excluded: fn(usize, &str) -> String,
    /// On how many days there is no value.
    pub(super) no_value_on: fn(u8) -> String,
    /// The day of the month's first value.
    pub(super) first_value_on: fn(&str) -> String,
    /// How low and how high the score was within a day.
    pub(super) down_to: fn(&str) -> String,
    pub(super) up_to: fn(&str) -> String,
    /// Checks fail since that day; why.
    pub(super) checks_fail: fn(&str, &str) -> String,
    /// Microsoft could not be asked; why.
    pub(super) failed: fn(&str) -> String,
    /// A class of failure as the customer understands it, as a clause after a colon.
    pub(super) class: fn(FailureClass) -> &'static str,
    /// The same for a class of another version.
    pub(super) other_class: &'static str,
    pub(super) day: fn(Date) -> String,
    pub(super) severity: fn(Severity) -> &'static str,
    pub(super) cause: fn(CauseKind) -> &'static str,
    pub(super) changed_by: fn(ChangedBy) -> &'static str,
    pub(super) score: fn(ScoreKind, Option<&str>) -> String,
}

/// A noun in the forms that go with numbers.
#[derive(Clone, Copy)]
pub(super) struct Plural {
    pub(super) one: &'static str,
    pub(super) other: &'static str,
    /// Whether the language uses the first form with that number.
    pub(super) is_one: fn(f64) -> bool,
}

/// Whether the number is one, neither more nor less.
pub(super) fn is_exactly_one(number: f64) -> bool {
    (number - 1.0).abs() < f64::EPSILON
}

/// A day of the calendar.
#[derive(Clone, Copy)]
pub(super) struct Date {
    pub(super) day: i8,
    /// The name of the month that the report is about.
    pub(super) month: &'static str,
    pub(super) year: i16,
}

impl Words {
    /// Those of a language.
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &en::WORDS,
            Language::De => &de::WORDS,
            Language::Fr => &fr::WORDS,
        }
    }

    /// A number as the language writes it: `1,5`. Negative ones have a minus sign, not a hyphen.
    pub(super) fn number(&self, value: f64) -> String {
        let text = crate::rule::display::number(value.abs()).replace('.', self.decimal);
        if value < 0.0 && text != "0" { format!("−{text}") } else { text }
    }

    /// A number with its sign: `+3`.
    pub(super) fn signed(&self, value: f64) -> String {
        let text = self.number(value);
        if value > 0.0 && text != "0" { format!("+{text}") } else { text }
    }

    /// A signed number with its noun: `+1 point`, `−1.5 points`.
    pub(super) fn counted(&self, value: f64, noun: Plural) -> String {
        let form = if (noun.is_one)(value.abs()) { noun.one } else { noun.other };
        format!("{}\u{a0}{form}", self.signed(value))
    }

    /// A name, a colon, and what it is.
    pub(super) fn labelled(&self, name: &str, value: &str) -> String {
        format!("{name}{} {value}", self.colon)
    }

    /// What stands above a list.
    pub(super) fn heading(&self, title: &str) -> String {
        format!("{title}{}", self.colon)
    }

    /// The class of a failure, given by its name, in the customer's words.
    pub(super) fn why(&self, class: &str) -> &'static str {
        FailureClass::from_name(class).map_or(self.other_class, self.class)
    }

    /// The name of a month, from 1 to 12.
    pub(super) fn month(&self, number: i8) -> &'static str {
        usize::try_from(number - 1).ok().and_then(|index| self.months.get(index)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_plurals_follow_the_language() {
        for (language, value, expected) in [
            (Language::En, 1.0, "+1\u{a0}point"),
            (Language::En, 1.5, "+1.5\u{a0}points"),
            (Language::En, -1.0, "−1\u{a0}point"),
            (Language::En, 0.0, "0\u{a0}points"),
            (Language::De, 1.0, "+1\u{a0}Punkt"),
            (Language::De, 0.5, "+0,5\u{a0}Punkte"),
            (Language::De, 0.0, "0\u{a0}Punkte"),
            (Language::Fr, 1.5, "+1,5\u{a0}point"),
            (Language::Fr, 0.0, "0\u{a0}point"),
            (Language::Fr, -2.0, "−2\u{a0}points"),
        ] {
            let words = Words::of(language);
            assert_eq!(words.counted(value, words.points), expected);
        }
        assert_eq!(Words::of(Language::En).number(-0.001), "0");
    }

    #[test]
    fn customers_read_why_something_failed_and_not_the_name_of_a_class() {
        for language in Language::ALL {
            let words = Words::of(language);
            for class in FailureClass::ALL {
                let why = words.why(class.as_str());
                let is_clause = !why.ends_with('.') && !why.starts_with(' ') && why.len() > 15;
                assert!(is_clause && !why.contains(class.as_str()), "{class} {language:?}: {why}");
                for ours in ["Scorewatch", "credential:", "token", "API"] {
                    assert!(!why.contains(ours), "{class} {language:?}: {why}");
                }
                let other = words.why("a-class-of-a-later-version");
                assert!(why != other && !other.contains("later-version"), "{class} {language:?}: {other}");
            }
        }
    }

    #[test]
    fn days_are_written_as_the_language_writes_them() {
        for (language, day, expected) in [
            (Language::En, 1, "March 1, 2026"),
            (Language::De, 1, "1. März 2026"),
            (Language::Fr, 1, "1er mars 2026"),
            (Language::Fr, 2, "2 mars 2026"),
        ] {
            let words = Words::of(language);
            assert_eq!((words.day)(Date { day, month: words.month(3), year: 2026 }), expected);
        }
    }
}
