//! Why a question has no answer, or an action was not taken.

use std::fmt;

use crate::{config::nearest, store::StoreError};

/// What a person asks for by its name or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A tenant, by its id.
    Tenant,
    /// A channel, by its name.
    Channel,
    /// A rule, by its name.
    Rule,
    /// A delivery, by its number.
    Delivery,
    /// A silence, by its number.
    Silence,
    /// A token of the API, by its name.
    Token,
    /// An account, by its name.
    Account,
    /// A session, by who is signed in.
    Session,
}

impl Thing {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Channel => "channel",
            Self::Rule => "rule",
            Self::Delivery => "delivery",
            Self::Silence => "silence",
            Self::Token => "token",
            Self::Account => "account",
            Self::Session => "session of",
        }
    }
}

/// What an ambiguous name can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What it is, in a line.
    pub says: String,
    /// The path of the page that shows it; `None`: it has none.
    pub page: Option<String>,
}

impl Candidate {
    /// One that a page shows.
    pub(crate) const fn shown_at(says: String, page: String) -> Self {
        Self { says, page: Some(page) }
    }
}

/// Why a question has no answer, or an action was not taken. What lies outside the caller's scope is [`Self::NotFound`], as if it did
/// not exist.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it lies outside the caller's scope.
    #[error("there is no {}{}", named(*what, name), meant(nearest.as_deref()))]
    NotFound {
        /// What was asked for.
        what: Thing,
        /// Its name or number, as it was asked for.
        name: String,
        /// A name within the caller's scope that was probably meant.
        nearest: Option<String>,
    },
    /// No alert matches, or none within the caller's scope; the sentence says what was looked for.
    #[error("{0}")]
    NoAlert(String),
    /// Several things match where one was meant.
    #[error("{what}; choose one of:\n  {}", lines(candidates))]
    Ambiguous {
        /// What was asked for, and how many match.
        what: String,
        /// What they are called.
        candidates: Vec<Candidate>,
    },
    /// What was asked can't be read or makes no sense: everything that is wrong with it, a sentence each.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// It makes sense but can't be done to what is there, such as ending a silence that is over.
    #[error("{0}")]
    Conflict(String),
    /// The caller's role does not allow it; the sentence says which does.
    #[error("{0}")]
    Forbidden(String),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else failed at run time.
    #[error("{0}")]
    Failed(String),
}

impl Error {
    /// One thing that is wrong with what was asked.
    pub fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid(vec![what.into()])
    }

    /// Something failed at run time, with its causes.
    pub(crate) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::Failed(format!("{:#}", error.into()))
    }

    /// There is no such thing.
    pub(crate) fn not_found(what: Thing, name: impl fmt::Display) -> Self {
        Self::NotFound { what, name: name.to_string(), nearest: None }
    }

    /// There is no such thing, and one of these names, which lie within the caller's scope, was probably meant.
    pub(crate) fn not_among<'a>(what: Thing, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Self::NotFound { what, name: name.to_owned(), nearest: nearest(name, known).map(str::to_owned) }
    }

    /// Whether whoever asked has to ask for something else; otherwise something failed at run time.
    #[must_use]
    pub const fn is_input(&self) -> bool {
        !matches!(self, Self::Store(_) | Self::Failed(_))
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::failed(error)
    }
}

fn lines(candidates: &[Candidate]) -> String {
    let lines: Vec<&str> = candidates.iter().map(|candidate| candidate.says.as_str()).collect();
    lines.join("\n  ")
}

/// What was probably meant, as a clause.
fn meant(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

/// `` tenant `contoso` `` or `delivery 42`.
fn named(what: Thing, name: &str) -> String {
    match what {
        Thing::Delivery | Thing::Silence => format!("{} {name}", what.as_str()),
        Thing::Tenant | Thing::Channel | Thing::Rule | Thing::Token | Thing::Account | Thing::Session => {
            format!("{} `{name}`", what.as_str())
        }
    }
}
