//! The line that a problem is about, as far as it may be shown.

use std::{collections::BTreeMap, ops::Range};

use super::Place;

/// A line, or a part of it, in which nothing stands that may not be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The text, on one line.
    pub text: String,
    /// Which bytes of it the problem is about.
    pub span: Range<usize>,
}

/// The source lines of problems, by place.
pub type Excerpts = BTreeMap<Place, Excerpt>;
