//! What is wrong with a secret, and how large one may be.

use crate::domain::Clause;

/// Largest secret, in bytes: room for a certificate chain, too small to exhaust memory by a wrong path.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// What is wrong with a secret, and what to do about it. Neither holds anything of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Follows the secret's place in a sentence.
    pub(super) what: String,
    /// What to do, as an imperative sentence.
    pub(super) hint: String,
}

impl Fault {
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// What is said of a secret above the limit.
#[must_use]
pub fn too_large() -> String {
    Clause::TooLarge.with(&[&(SECRET_BYTES_MAX / 1024).to_string()])
}

/// A secret above the limit.
pub(super) fn too_large_fault() -> Fault {
    Fault::new(too_large(), Clause::CheckReference.english())
}
