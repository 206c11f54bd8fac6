//! Why something happened, in words.

use super::{Locale, Words};
use crate::{
    domain::{Clause, FailureClass, clause},
    notify::facts::{
        cause::CauseChange,
        wording::{Failure, Remark, Why},
    },
};

/// The texts of one language for why something happened.
pub(crate) struct ReasonWords {
    /// What an alert's message says in addition to its numbers; `None`: nothing, or what is said of each score without data.
    pub(crate) remark: fn(&Remark, &Locale) -> Option<String>,
    pub(crate) why: fn(&Why, &Words) -> String,
    pub(crate) change: fn(&CauseChange, &Words) -> String,
    /// Why checks fail, since when, and what to do; `None`: they succeed without new data.
    pub(crate) failure: fn(Option<&Failure>, &Locale) -> String,
    /// The class of a failure, as a clause.
    pub(crate) class: fn(FailureClass) -> &'static str,
    /// What to do about it, where the class says it.
    pub(crate) hint: fn(FailureClass) -> Option<&'static str>,
    /// What other parts of the program say in English, with the places of its values.
    pub(crate) clause: fn(Clause) -> &'static str,
    /// What stands before the name of a thing: see [`THINGS`].
    pub(crate) things: [&'static str; THINGS.len()],
    /// What stands between a place and what is wrong there.
    pub(crate) colon: &'static str,
    /// What to do about the class, and a text that is known in English only.
    pub(crate) beside: fn(&str, &str) -> String,
}

/// What stands before the name of a thing, in English.
const THINGS: [&str; 4] = ["file ", "environment variable ", "systemd credential ", "user "];

impl ReasonWords {
    /// The class of that name as a clause; one of another version is its name.
    pub(crate) fn class_named(&self, name: &str) -> String {
        FailureClass::from_name(name).map_or_else(|| name.to_owned(), |class| (self.class)(class).to_owned())
    }

    /// A hint in this language. One that is not known in each language stands in parentheses after what its class says.
    pub(crate) fn hint_for(&self, class: &str, hint: &str) -> String {
        let class = FailureClass::from_name(class);
        let of_class = class.and_then(self.hint);
        match of_class.filter(|_| class.and_then(|class| class.hint()) == Some(hint)) {
            Some(of_class) => of_class.to_owned(),
            None => self
                .said(hint)
                .unwrap_or_else(|| of_class.map_or_else(|| hint.to_owned(), |of_class| (self.beside)(of_class, hint))),
        }
    }

    /// What another part of the program said in English, in this language as far as it is known there.
    pub(crate) fn in_words(&self, text: &str) -> String {
        self.said(text).unwrap_or_else(|| text.to_owned())
    }

    /// The same of several, in a row.
    pub(crate) fn all_in_words(&self, texts: &[String]) -> String {
        texts.iter().map(|text| self.in_words(text)).collect::<Vec<_>>().join(", ")
    }

    /// Why something was rejected: its class, with the number of Entra's error if there is one.
    pub(crate) fn rejection(&self, class: &str, error: &str) -> String {
        let Some(class) = FailureClass::from_name(class) else { return error.to_owned() };
        let code = error.rsplit_once(" (AADSTS").map(|(_, code)| format!(" (AADSTS{code}")).unwrap_or_default();
        format!("{}{code}", (self.class)(class))
    }

    /// The same as a clause that is known in each language, alone or after the place that it is about: `file x: does not exist`.
    fn said(&self, text: &str) -> Option<String> {
        self.clause_of(text).or_else(|| {
            let parts = text.match_indices(": ").map(|(at, colon)| (&text[..at], &text[at + colon.len()..]));
            let found = |(place, clause)| Some([&*self.thing(place), self.colon, &*self.clause_of(clause)?].concat());
            parts.into_iter().find_map(found)
        })
    }

    fn clause_of(&self, text: &str) -> Option<String> {
        let (known, values) = Clause::read(text)?;
        let values: Vec<String> = values.into_iter().map(|value| self.thing(value)).collect();
        Some(clause::fill((self.clause)(known), &values))
    }

    /// A thing with its name: `file secrets/contoso`.
    fn thing(&self, text: &str) -> String {
        let known = THINGS.iter().zip(self.things).find_map(|(english, own)| Some((own, text.strip_prefix(english)?)));
        known.map_or_else(|| text.to_owned(), |(own, name)| format!("{own}{name}"))
    }
}

/// A clause in the words of a language that has all of them.
pub(super) fn among(clauses: &[(Clause, &'static str)], clause: Clause) -> &'static str {
    clauses.iter().find(|(known, _)| *known == clause).map_or_else(|| clause.english(), |(_, words)| words)
}

/// A clause that begins with a capital and ends with a full stop, as an addition to a sentence.
pub(super) fn further(clause: &str) -> String {
    format!(" {}.", super::capitalized(clause))
}
