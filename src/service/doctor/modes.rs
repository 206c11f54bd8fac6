//! Who may write to the files and folders that decide what the service does. Secrets and the store are judged as `check` judges them,
//! with the configuration.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use super::{Finding, finding::counted};
use crate::config::Config;

/// Bits of a mode that let others write.
const OTHERS_WRITE: u32 = 0o002;
/// In such a folder nobody replaces another's file.
const STICKY: u32 = 0o1000;

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let folders: BTreeSet<&Path> = config.watched.folders.iter().map(|folder| named(folder)).collect();
    let open: Vec<_> = folders.iter().filter_map(|folder| open_to_others(folder)).collect();
    if open.is_empty() {
        let what = format!("nobody else may write to the {} of the configuration", counted(folders.len(), "folder"));
        return vec![Finding::ok("modes", what)];
    }
    open
}

fn named(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// A folder in which others may put a file, or a file in it that they may change.
fn open_to_others(folder: &Path) -> Option<Finding> {
    let shown = folder.display();
    let mode = fs::metadata(folder).ok()?.permissions().mode();
    if is_open(mode, true) {
        let what = format!("others may put files into `{shown}` (mode {:03o})", mode & 0o777);
        return Some(Finding::warning("modes", what, format!("run `chmod o-w {shown}`")));
    }
    let entries = fs::read_dir(folder).ok()?.flatten();
    let open = entries.map(|entry| entry.path()).find(|path| {
        fs::symlink_metadata(path).is_ok_and(|of| of.is_file() && is_open(of.permissions().mode(), false))
    })?;
    let what = format!("others may change `{}`", open.display());
    Some(Finding::warning("modes", what, format!("run `chmod o-w {}`", open.display())))
}

const fn is_open(mode: u32, is_folder: bool) -> bool {
    mode & OTHERS_WRITE != 0 && !(is_folder && mode & STICKY != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_or_file_that_others_may_write_to_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.yaml");
        fs::write(&file, "").unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for (of_folder, of_file, said) in [
            (0o755, 0o644, ""),
            (0o770, 0o660, ""),
            (0o1777, 0o644, ""),
            (0o777, 0o644, "others may put files into"),
            (0o755, 0o666, "rules.yaml"),
        ] {
            set(folder.path(), of_folder);
            set(&file, of_file);
            let found = open_to_others(folder.path());
            assert_eq!(found.is_some(), !said.is_empty(), "{of_folder:o} {of_file:o}");
            assert!(found.is_none_or(|found| found.what.contains(said)), "{of_folder:o} {of_file:o}");
        }
    }
}
