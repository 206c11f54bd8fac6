//! Files that are not there yet.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

/// Files that are not there yet, and are read as if they were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending(pub(super) BTreeMap<PathBuf, String>);

impl Pending {
    /// The text of a file that is to be.
    pub(super) fn text(&self, path: &Path) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The files that a pattern matches, which is relative to `folder`.
    pub(super) fn matching(&self, folder: &Path, pattern: &str) -> Vec<PathBuf> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let whole = lexical(&Path::new(&glob::Pattern::escape(&lexical(folder).to_string_lossy())).join(pattern));
        let Ok(pattern) = glob::Pattern::new(&whole.to_string_lossy()) else { return Vec::new() };
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        self.0.keys().filter(|path| pattern.matches_path_with(&lexical(path), options)).cloned().collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The path from the root, without `.` and `..`. Nothing on the disk is examined.
pub(super) fn lexical(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        if part == Component::ParentDir {
            whole.pop();
        } else {
            whole.push(part);
        }
    }
    whole
}
