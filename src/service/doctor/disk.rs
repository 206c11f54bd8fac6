//! Space on the disk of the store. A full disk stops every check, since nothing is notified that is not stored first.

use std::path::Path;

use rustix::fs::statvfs;

use super::{Finding, finding::bytes};
use crate::config::{Config, StoreLocation};

/// With less, the write-ahead log of a busy hour may not fit.
const FREE_MIN: u64 = 128 << 20;
/// With less, somebody should look soon.
const FREE_ENOUGH: u64 = 1 << 30;

/// What a file system has left.
#[derive(Debug, Clone, Copy)]
struct Space {
    free: u64,
    /// Files that can still be made; `None`: the file system has no such limit.
    files_free: Option<u64>,
}

/// The space of a store on this machine.
pub(super) fn finding(config: &Config) -> Finding {
    let StoreLocation::Sqlite(path) = &config.store else {
        return Finding::skipped("disk", "the store is in PostgreSQL, whose disk can't be seen from here");
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let store = std::fs::metadata(path).map_or(0, |file| file.len());
    match statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let files_free = (disk.f_files > 0).then_some(disk.f_favail);
            judge(Space { free, files_free }, store, &folder.display().to_string())
        }
        Err(error) => Finding::skipped("disk", format!("`{}` can't be examined: {error}", folder.display())),
    }
}

/// `store`: the size of the database, which a backup or an upgrade needs once more.
fn judge(space: Space, store: u64, folder: &str) -> Finding {
    let Space { free, files_free } = space;
    let what = format!("{} free at `{folder}`, and the store has {}", bytes(free), bytes(store));
    if files_free.is_some_and(|files| files < 16) {
        let what = format!("the file system of `{folder}` can hold no further files");
        return Finding::error("disk", what, "delete files there, or make a file system with more inodes");
    }
    if free < FREE_MIN {
        return Finding::error("disk", what, "free some space or enlarge the disk; lower `retention` to keep less");
    }
    if free < FREE_ENOUGH.max(store) {
        let instead = "free some space or enlarge the disk: a backup needs as much as the store has";
        return Finding::warning("disk", what, instead);
    }
    Finding::ok("disk", what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::doctor::Verdict;

    #[test]
    fn space_is_judged_by_what_the_store_will_need() {
        let (mib, gib) = (1_u64 << 20, 1_u64 << 30);
        for (free, files_free, store, verdict) in [
            (10 * gib, Some(1_000), 100 * mib, Verdict::Ok),
            (10 * gib, None, 100 * mib, Verdict::Ok),
            (10 * gib, Some(3), 100 * mib, Verdict::Error),
            (10 * gib, Some(1_000), 11 * gib, Verdict::Warning),
            (gib - 1, Some(1_000), 0, Verdict::Warning),
            (127 * mib, Some(1_000), 0, Verdict::Error),
        ] {
            assert_eq!(
                judge(Space { free, files_free }, store, "/x").verdict,
                verdict,
                "{free} {files_free:?} {store}"
            );
        }
    }
}
