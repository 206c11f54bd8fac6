//! Why something happened, in words.

use super::{Locale, Words};
use crate::{
    domain::FailureClass,
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
}

impl ReasonWords {
    /// The class of that name as a clause; one of another version is its name.
    pub(crate) fn class_named(&self, name: &str) -> String {
        FailureClass::from_name(name).map_or_else(|| name.to_owned(), |class| (self.class)(class).to_owned())
    }

    /// A hint in this language if it is the one of its class, which is known in every language; else as it is.
    pub(crate) fn hint_for(&self, class: &str, hint: &str) -> String {
        let class = FailureClass::from_name(class).filter(|class| class.hint() == Some(hint));
        class.and_then(self.hint).unwrap_or(hint).to_owned()
    }
}

/// A clause that begins with a capital and ends with a full stop, as an addition to a sentence.
pub(super) fn further(clause: &str) -> String {
    format!(" {}.", super::capitalized(clause))
}
