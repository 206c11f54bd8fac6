//! Where a change may change the configuration, and what was found there.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// Folders in which a change may change the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Folders whose own entries are watched, but not their subfolders.
    pub folders: BTreeSet<PathBuf>,
    /// Folders with all that is below them: patterns go through folders that do not exist yet.
    pub trees: BTreeSet<PathBuf>,
    /// Of all that was read there and found wrong with it: as long as it is the same, so is the configuration.
    fingerprint: [u8; 32],
}

impl Watched {
    /// Notes something that was read, in the order in which it is read.
    pub(super) fn note(&mut self, part: &[u8]) {
        let length = (part.len() as u64).to_be_bytes();
        self.fingerprint =
            Sha256::new().chain_update(self.fingerprint).chain_update(length).chain_update(part).finalize().into();
    }

    /// Letters that are the same as long as everything that was read is.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let (first, _) = self.fingerprint.split_at(8);
        format!("{:016x}", first.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)))
    }

    /// Whether what was read is the same.
    #[must_use]
    pub(super) fn has_read_the_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }

    /// A file may change, vanish or appear.
    pub(super) fn file(&mut self, file: &Path) {
        self.folders.insert(file.parent().unwrap_or(Path::new("")).to_owned());
    }

    /// Anything in a folder may change.
    pub(super) fn folder(&mut self, folder: &Path) {
        self.folders.insert(folder.to_owned());
    }

    /// A file may change that a pattern matches, or begin to match it.
    pub(super) fn pattern(&mut self, pattern: &Path) {
        let is_plain = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
        let parts: Vec<Component<'_>> = pattern.components().collect();
        let plain = parts.iter().take_while(|part| is_plain(part)).count();
        let folder: PathBuf = parts.iter().take(plain.min(parts.len().saturating_sub(1))).collect();
        if plain + 1 >= parts.len() {
            self.folders.insert(folder)
        } else {
            self.trees.insert(folder)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_watched_from_its_first_folder_without_a_wildcard() {
        for (pattern, folders, trees) in [
            ("a/b.yaml", &["a"][..], &[][..]),
            ("a/*.yaml", &["a"], &[]),
            ("*.yaml", &[""], &[]),
            ("/x/a/*/b.yaml", &[], &["/x/a"]),
            ("a/**/*.yaml", &[], &["a"]),
            ("*/b.yaml", &[], &[""]),
        ] {
            let mut watched = Watched::default();
            watched.pattern(Path::new(pattern));
            let paths = |of: &[&str]| of.iter().map(PathBuf::from).collect::<BTreeSet<_>>();
            assert_eq!((watched.folders, watched.trees), (paths(folders), paths(trees)), "{pattern}");
        }
    }
}
