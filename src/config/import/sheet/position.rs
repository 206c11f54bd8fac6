//! Where something stands in a list.

/// A place in the list's file, without the file's name.
#[derive(Debug, Clone, Copy)]
pub(in crate::config::import) struct Position {
    /// The line, from 1.
    pub(in crate::config::import) line: usize,
    /// The character in the line, from 1.
    pub(in crate::config::import) column: usize,
}

impl Position {
    pub(super) const START: Self = Self::line(1);

    /// The beginning of a line.
    pub(super) const fn line(line: usize) -> Self {
        Self { line, column: 1 }
    }
}
