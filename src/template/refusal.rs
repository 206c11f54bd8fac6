//! Why what a template wrote can't be sent.

/// Why an output can't be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is above a limit; less text would help.
    TooLarge {
        /// How much it is.
        size: usize,
        /// How much it may be.
        limit: usize,
    },
    /// It is not a message that the receiver accepts, however short.
    Invalid(String),
}

impl Refusal {
    pub(crate) fn invalid<T>(what: impl Into<String>) -> Result<T, Self> {
        Err(Self::Invalid(what.into()))
    }
}
