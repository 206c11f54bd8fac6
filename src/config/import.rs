//! Tenants from a list that another program wrote: CSV → tenant files, all of them or none.
//!
//! [`sheet`] reads rows with their places → [`row`] makes an offer of each, or says what is wrong → [`plan`] tells new from known
//! and writes YAML → the whole configuration is loaded as if the files were there ([`Pending`]) → [`place`] puts them there.
//! Everything in the list is hostile: names go through the YAML writer, and are compared with what is read back.

mod column;
mod place;
mod plan;
mod row;
mod sheet;
mod slug;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

pub use place::{PlaceError, place};
pub use plan::{Line, Outcome, Plan, Wish, plan};
pub use row::label as check_label;
pub use sheet::{ROWS_MAX, SHEET_BYTES_MAX, read_sheet};

/// Files that are not there yet, and are read as if they were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending(BTreeMap<PathBuf, String>);

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

/// The path from the root, without `.` and `..`. Nothing on the disk is looked at.
fn lexical(path: &Path) -> PathBuf {
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
