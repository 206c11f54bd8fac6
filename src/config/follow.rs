//! The folders that are watched, through links that are turned and folders that come and go.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer,
    notify::{EventKind, RecommendedWatcher, RecursiveMode},
};
use tokio::sync::Notify;
use tracing::warn;

use super::Watched;

/// How long files must be still before they are read: editors and volume mounts write in several steps.
const STILL: Duration = Duration::from_millis(500);

type Folders = BTreeMap<PathBuf, RecursiveMode>;

/// Watches folders. Where the system can't, it says so once, and only SIGHUP is left.
pub(super) struct Follower {
    debouncer: Option<Debouncer<RecommendedWatcher, RecommendedCache>>,
    folders: Folders,
}

impl Follower {
    /// Notifies of each change that has become final.
    pub(super) fn new(changed: Arc<Notify>) -> Self {
        let wake = move |result: DebounceEventResult| {
            // Our own reading is an event too, and must not wake us again.
            let touched =
                result.map_or(true, |events| events.iter().any(|event| !matches!(event.kind, EventKind::Access(_))));
            if touched {
                changed.notify_one();
            }
        };
        let debouncer = new_debouncer(STILL, None, wake)
            .inspect_err(|error| warn!(%error, "the configuration's files can't be watched for changes; send SIGHUP after each change"))
            .ok();
        Self { debouncer, folders: Folders::new() }
    }

    /// One that sees nothing, as on a system without watches.
    #[cfg(test)]
    pub(super) fn blind() -> Self {
        Self { debouncer: None, folders: Folders::new() }
    }

    /// Whether all of that is watched already.
    pub(super) fn covers(&self, watched: &Watched) -> bool {
        self.debouncer.is_none() || folders(watched).iter().all(|folder| self.folders.get(folder.0) == Some(folder.1))
    }

    /// Watches that and nothing else. What is watched already is watched again: a link may have been turned, and a watch
    /// stays with the folder that the link led to.
    pub(super) fn follow(&mut self, watched: &Watched) {
        let Some(debouncer) = &mut self.debouncer else { return };
        for folder in self.folders.keys() {
            // A folder that is gone took its watch with it.
            let _ = debouncer.unwatch(folder);
        }
        let known = std::mem::replace(&mut self.folders, folders(watched));
        for (folder, mode) in &self.folders {
            let outcome = debouncer.watch(folder, *mode);
            if let Err(error) = outcome
                && !known.contains_key(folder)
            {
                warn!(folder = %folder.display(), %error, "this folder can't be watched for changes; send SIGHUP after each change");
            }
        }
    }
}

/// The folders that exist, and those that hold the links on the way to them: a turned link is seen only where it lies.
fn folders(watched: &Watched) -> Folders {
    let mut folders = Folders::new();
    for folder in &watched.folders {
        add(&mut folders, folder, RecursiveMode::NonRecursive);
    }
    for tree in &watched.trees {
        add(&mut folders, tree, RecursiveMode::Recursive);
    }
    folders
}

fn add(folders: &mut Folders, wanted: &Path, mode: RecursiveMode) {
    let here = |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    let mut existing = here(wanted);
    let mut is_there = existing.is_dir();
    if is_there && (mode == RecursiveMode::Recursive || !folders.contains_key(&existing)) {
        folders.insert(existing.clone(), mode);
    }
    while let Some(parent) = existing.parent().map(here).filter(|parent| *parent != existing) {
        // The nearest folder that exists sees the missing one appear.
        let appears = !is_there && parent.is_dir();
        if appears || existing.is_symlink() {
            folders.entry(parent.clone()).or_insert(RecursiveMode::NonRecursive);
        }
        is_there |= appears;
        existing = parent;
    }
}
