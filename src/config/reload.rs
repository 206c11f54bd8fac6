//! Takes a changed configuration without a restart: whole, or not at all.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer,
    notify::{EventKind, RecommendedWatcher, RecursiveMode},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Config, load};
use crate::telemetry::Metrics;

/// How long files must be still before they are read: editors and volume mounts write in several steps.
const STILL: Duration = Duration::from_millis(500);

/// Watches everything that the configuration was read from, and SIGHUP. The receiver sees each configuration that is taken.
///
/// # Errors
/// When the signal or the files can't be watched.
pub fn watch(
    file: PathBuf,
    config: Arc<Config>,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> anyhow::Result<watch::Receiver<Arc<Config>>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let changed = Arc::new(Notify::new());
    let wake = Arc::clone(&changed);
    let mut watcher = new_debouncer(STILL, None, move |result: DebounceEventResult| {
        // Our own reading is an event too, and must not wake us again.
        let touched =
            result.map_or(true, |events| events.iter().any(|event| !matches!(event.kind, EventKind::Access(_))));
        if touched {
            wake.notify_one();
        }
    })?;
    let mut watched = BTreeSet::new();
    follow(&mut watcher, &mut watched, &file, &config);
    let (sender, receiver) = watch::channel(config);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = hangup.recv() => {}
                () = changed.notified() => {}
            }
            let path = file.clone();
            let Ok(loaded) = tokio::task::spawn_blocking(move || load(&path)).await else { continue };
            for problem in &loaded.problems {
                warn!(place = %problem.place, key = problem.key, "{}; {}", problem.what, problem.instead);
            }
            metrics.reloaded(loaded.config.is_some());
            if let Some(config) = loaded.config {
                follow(&mut watcher, &mut watched, &file, &config);
                info!(tenants = config.tenants.len(), rules = config.rules.len(), "the changed configuration is taken");
                sender.send_replace(Arc::new(config));
            } else {
                warn!("the changed configuration has errors; the old one goes on");
            }
        }
    });
    Ok(receiver)
}

/// Watches the folders: a file that is replaced by renaming, and a link that is turned, are seen there only.
fn follow(
    watcher: &mut Debouncer<RecommendedWatcher, RecommendedCache>,
    watched: &mut BTreeSet<PathBuf>,
    file: &Path,
    config: &Config,
) {
    for source in config.sources.iter().map(PathBuf::as_path).chain([file]) {
        let folder = if source.is_dir() { source } else { source.parent().unwrap_or(Path::new("")) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if !folder.is_dir() || watched.contains(folder) {
            continue;
        }
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => drop(watched.insert(folder.to_owned())),
            Err(error) => warn!(folder = %folder.display(), %error, "changes here are not seen; send SIGHUP instead"),
        }
    }
}
